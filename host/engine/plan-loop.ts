// The items of a `forEach`: how many go on at the same time, what a failed one means for the others, and what is kept.

import type { Failure } from "../errors.ts";
import type { Json } from "../sdk.ts";
import { besideFailed, type Outcome, pending } from "./place-outcome.ts";
import type { Here, PlanDraft, WalkBody } from "./plan-draft.ts";
import type { LoopNode } from "./program.ts";
import { readItems, readMaxParallel } from "./read-values.ts";
import { isSame, type NodeState } from "./state.ts";

/** Loops with more items than this keep no records of their items once they have ended. */
const keptItems = 100;

export function planLoop(
  draft: PlanDraft,
  walkBody: WalkBody,
  node: LoopNode,
  path: string,
  here: Here,
  before: NodeState | undefined,
): Outcome {
  if (before === undefined) {
    const items = readItems(node.items, here.scope);
    if (!items.ok) return draft.fail(path, items.error, node.id);
    const most = readMaxParallel(node.maxParallel, here.scope);
    if (!most.ok) return draft.fail(path, most.error, node.id);
    const data = {
      items: items.value,
      at: draft.now,
      ...(most.value === undefined ? {} : { maxParallel: most.value }),
    };
    draft.record({ kind: "loop", path, data });
  }
  const loop = draft.state.nodes.get(path)!.loop!;
  const failure = () => (node.continueOnError ? undefined : loop.error);
  const known = failure();
  let open = planItems(draft, walkBody, node, path, here, known);
  // Found in this very walk: what has begun meanwhile must hear of it.
  if (known === undefined && failure() !== undefined) open = planItems(draft, walkBody, node, path, here, failure());
  if (open > 0) return pending;
  const isAborted = loop.firstOpen < loop.items.length || loop.aborted === true;
  const error = failure() ?? (isAborted ? here.abort : undefined);
  if (loop.items.length > keptItems) forgetItems(draft, path);
  if (error !== undefined) return draft.fail(path, error, node.id);
  return draft.close(path, { status: "succeeded", output: { items: loop.outputs as Json[] } }, node.id);
}

/** Goes on with the items that may be under way; gives the number of those that still are. */
function planItems(
  draft: PlanDraft,
  walkBody: WalkBody,
  node: LoopNode,
  path: string,
  here: Here,
  failure: Failure | undefined,
): number {
  const loop = draft.state.nodes.get(path)!.loop!;
  const abort = failure === undefined || isSame(failure, here.abort) ? here.abort : besideFailed(failure);
  let open = 0;
  for (let index = loop.firstOpen; index < loop.items.length && open < loop.maxParallel; index++) {
    if (loop.outputs[index] !== undefined) continue;
    // Whatever has not begun by then never does.
    const stops = abort ?? (node.continueOnError || loop.error === undefined ? undefined : loop.error);
    if (stops !== undefined && index >= loop.begun) break;
    const names = { index, ...(node.as === undefined ? {} : { [node.as]: loop.items[index]! }) };
    const item = `${path}/items/${index}`;
    const result = walkBody(node, item, { ...here, scope: { ...here.scope, ...names }, abort }, loop.enteredAt);
    if (draft.close(item, result, undefined).status === "pending") open += 1;
  }
  return open;
}

function forgetItems(draft: PlanDraft, path: string): void {
  const keep = [...draft.state.undoables.keys()].filter((inner) => inner.startsWith(`${path}/`));
  // A loop around others that end in this very walk takes them along.
  while (draft.prunes.at(-1)?.under.startsWith(`${path}/`)) draft.prunes.pop();
  draft.prunes.push({ under: path, keep });
}
