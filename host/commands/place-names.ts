// The places of a run in the words of its documents.

import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";

export interface PlaceName {
  /** `fetch (download/fetch)`, `forEach`, `item 2`, `undo`. */
  label: string;
  /** How many places it stands in. */
  depth: number;
}

/** `called` are the workflows it calls, by name. A path that leads nowhere is its own name. */
export function namesOf(document: Workflow, called: ReadonlyMap<string, Workflow>): (path: string) => PlaceName {
  return (path) => {
    const words = path.split("/");
    let body: Partial<Workflow> & Partial<WorkflowStep> = document;
    let depth = 0;
    for (;;) {
      const [list, place] = words.splice(0, 2) as [string, string];
      if (list === "items") {
        if (words.length === 0) return { label: `item ${Number(place) + 1}`, depth };
        depth += 1;
        continue;
      }
      const steps = list === "parallel" ? body.parallel?.[Number(place)] : body[list as "steps"];
      const index = list === "parallel" ? words.shift() : place;
      const step: WorkflowStep | undefined = steps?.[Number(index)];
      if (step === undefined) return { label: path, depth };
      const prefix = list === "steps" ? "" : list === "parallel" ? `list ${Number(place) + 1}: ` : `${list}: `;
      if (words.length === 0) return { label: prefix + labelOf(step), depth };
      if (words[0] === "undo") return { label: `undo of ${labelOf(step)}: ${step.undo?.uses ?? ""}`, depth };
      depth += 1;
      body = step;
      if (words[0] !== "call") continue;
      words.shift();
      body = called.get(step.uses?.slice("workflow:".length) ?? "") ?? {};
    }
  };
}

function labelOf({ id, name, uses, forEach, parallel }: WorkflowStep): string {
  const form = uses ?? (forEach !== undefined ? "forEach" : parallel !== undefined ? "parallel" : "block");
  const given = id ?? name;
  return given === undefined ? form : `${given} (${form})`;
}
