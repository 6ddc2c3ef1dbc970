// The places of a run in the words of its documents.

import type { SideStep, Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";

export interface PlaceName {
  /** `fetch (download/fetch)`, `forEach`, `item 2`, `undo`. */
  label: string;
  /** How many places it stands in. */
  depth: number;
}

/** What stands at a place: a step, an item of a loop, or the undo of a step. */
interface Place {
  depth: number;
  /** `onFailure: `, `list 2: ` and the like. */
  prefix: string;
  step?: WorkflowStep;
  /** From 0. */
  item?: number;
  undo?: SideStep;
}

/** `called` are the workflows it calls, by name. A path that leads nowhere is its own name. */
export function namesOf(document: Workflow, called: ReadonlyMap<string, Workflow>): (path: string) => PlaceName {
  return (path) => {
    const { depth, prefix, step, item, undo } = placeAt(path, document, called);
    if (item !== undefined) return { label: `item ${item + 1}`, depth };
    if (step === undefined) return { label: path, depth };
    if (undo !== undefined) return { label: `undo of ${labelOf(step)}: ${undo.uses}`, depth };
    return { label: prefix + labelOf(step), depth };
  };
}

/** The step at a path; undefined for an item, and where the path leads nowhere. */
export function stepsOf(
  document: Workflow,
  called: ReadonlyMap<string, Workflow>,
): (path: string) => WorkflowStep | SideStep | undefined {
  return (path) => {
    const { step, undo } = placeAt(path, document, called);
    return undo ?? step;
  };
}

function placeAt(path: string, document: Workflow, called: ReadonlyMap<string, Workflow>): Place {
  const words = path.split("/");
  let body: Partial<Workflow> & Partial<WorkflowStep> = document;
  for (let depth = 0; ; ) {
    const [list, place] = words.splice(0, 2) as [string, string];
    if (list === "items") {
      if (words.length === 0) return { depth, prefix: "", item: Number(place) };
      depth += 1;
      continue;
    }
    const steps = list === "parallel" ? body.parallel?.[Number(place)] : body[list as "steps"];
    const index = list === "parallel" ? words.shift() : place;
    const step: WorkflowStep | undefined = steps?.[Number(index)];
    if (step === undefined) return { depth, prefix: "" };
    const prefix = list === "steps" ? "" : list === "parallel" ? `list ${Number(place) + 1}: ` : `${list}: `;
    if (words.length === 0) return { depth, prefix, step };
    if (words[0] === "undo") return { depth, prefix, step, ...(step.undo === undefined ? {} : { undo: step.undo }) };
    depth += 1;
    body = step;
    if (words[0] !== "call") continue;
    words.shift();
    body = called.get(step.uses?.slice("workflow:".length) ?? "") ?? {};
  }
}

function labelOf({ id, name, uses, forEach, parallel }: WorkflowStep): string {
  const form = uses ?? (forEach !== undefined ? "forEach" : parallel !== undefined ? "parallel" : "block");
  const given = id ?? name;
  return given === undefined ? form : `${given} (${form})`;
}
