// A document with one of its steps deleted, repeated or moved.

import type { Workflow, WorkflowStep } from "../../../schemas/workflow.types.ts";

export type Edit = "deleted" | "repeated" | "moved";

export interface Place {
  /** `steps/1/steps/3 (fetch)`. */
  name: string;
  /** The list that holds the step, in a copy of the document. */
  listOf(document: Workflow): WorkflowStep[];
  index: number;
  length: number;
}

const lists = ["steps", "onFailure", "finally"] as const;

/** All steps of a document, also those inside others. */
export function placesOf(document: Workflow): Place[] {
  const found: Place[] = [];
  const add = (where: string, owner: Workflow | WorkflowStep, ownerOf: (copy: Workflow) => Workflow | WorkflowStep) => {
    for (const key of lists) {
      const list = owner[key] as WorkflowStep[] | undefined;
      for (const [index, step] of (list ?? []).entries()) {
        const listOf = (copy: Workflow) => ownerOf(copy)[key] as WorkflowStep[];
        const path = `${where}${key}/${index}`;
        const { status = "" } = (step.with ?? {}) as { status?: string };
        const what = step.id ?? ([step.uses, status].filter((word) => word?.match(/^[\w/-]+$/)).join(" ") || "block");
        found.push({ name: `${path} (${what})`, listOf, index, length: list!.length });
        add(`${path}/`, step, (copy) => listOf(copy)[index]!);
      }
    }
  };
  add("", document, (copy) => copy);
  return found;
}

/** A copy with that done; undefined where there is nothing to move it behind. */
export function edited(document: Workflow, place: Place, edit: Edit): Workflow | undefined {
  const copy = structuredClone(document);
  const list = place.listOf(copy);
  if (edit === "deleted") list.splice(place.index, 1);
  else if (edit === "repeated") {
    const { id: _, ...again } = structuredClone(list[place.index]!);
    list.splice(place.index + 1, 0, again as WorkflowStep);
  } else {
    if (place.length === 1) return undefined;
    const [step] = list.splice(place.index, 1);
    list.splice(place.index === list.length ? place.index - 1 : place.index + 1, 0, step!);
  }
  return copy;
}
