// Takes back what has happened: the `undo` of steps, with the values they were promised before they acted.

import type { Scope } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { outcomeOf } from "./place-outcome.ts";
import { planAction } from "./plan-action.ts";
import type { Here, PlanDraft } from "./plan-draft.ts";
import { type Program, undoableAt } from "./program.ts";

/** Whether something below a place is left to be undone. */
export function hasUndoable({ state }: PlanDraft, prefix: string): boolean {
  for (const path of state.undoables.keys()) if (isUndoneFrom(prefix, path)) return true;
  return false;
}

/** Undoes what has happened below a place, the last begun first; false while that is under way. */
export function undoBelow(draft: PlanDraft, program: Program, prefix: string, error: Json): boolean {
  for (const path of [...draft.state.undoables.keys()].reverse())
    if (isUndoneFrom(prefix, path) && !undoOne(draft, program, path, error)) return false;
  return true;
}

/** Undoes what has happened at one place; false while that is under way. */
export function undoOne(draft: PlanDraft, program: Program, path: string, error: Json): boolean {
  const undoable = draft.state.undoables.get(path);
  if (undoable === undefined) return true;
  const { id, undo } = undoableAt(program, path);
  const steps: JsonObject = Object.assign(Object.create(null), undoable.fixed.steps);
  if (id !== undefined) steps[id] = { status: undoable.status, outputs: undoable.output };
  const here: Here = { scope: { ...undoable.fixed, error, steps } as Scope, abort: undefined, held: false };
  const place = `${path}/undo`;
  const result = outcomeOf(draft.state.nodes.get(place)) ?? planAction(draft, place, undo, id, undefined, here);
  if (result.status === "pending") draft.undoing = true;
  return result.status !== "pending";
}

/** Whether the failure of a body undoes what happened there; not what a workflow did that was called to clean up. */
const isUndoneFrom = (prefix: string, path: string) =>
  path.startsWith(prefix) && !/(?:^|\/)(?:onFailure|finally)\//.test(path.slice(prefix.length));
