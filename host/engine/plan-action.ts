// What is to happen where a step acts: its attempt begins, goes on, is repeated later, or is ended.

import type { JsonObject } from "../sdk.ts";
import { type Outcome, pending } from "./place-outcome.ts";
import type { Here, PlanDraft, PlannedAttempt } from "./plan-draft.ts";
import type { Action } from "./program.ts";
import { evaluateAt, readPolicy } from "./read-values.ts";
import { nextInside } from "./time-window.ts";

/** `undo`: the values that undoing it will need, fixed before it acts. */
export function planAction(
  draft: PlanDraft,
  path: string,
  action: Action,
  id: string | undefined,
  onProgress: Action | undefined,
  here: Here,
  undo?: JsonObject,
): Outcome {
  const before = draft.state.nodes.get(path);
  const attempt: PlannedAttempt = { path, action, id, onProgress, scope: here.scope };
  if (before?.status === "running") {
    if (here.abort === undefined) draft.attempts.set(path, attempt);
    else {
      draft.attempts.delete(path);
      draft.aborts.set(path, { ...attempt, error: here.abort });
    }
    return pending;
  }
  if (here.abort !== undefined) return draft.fail(path, here.abort, id);
  if (before?.status === "retrying" && before.retryAt! > draft.now) return draft.sleep(before.retryAt!);
  const opening = here.held ? windowOpensAt(draft) : undefined;
  if (opening !== undefined) {
    draft.waits.push({ path, uses: action.uses, id, wait: { until: opening } });
    return draft.sleep(opening);
  }
  if (before?.status === "retrying") {
    draft.record({ kind: "running", path, data: { ...before.begun!, attempt: before.attempt + 1 } });
  } else {
    const input = evaluateAt(action.with, here.scope);
    if (!input.ok) return draft.fail(path, input.error, id);
    const policy = readPolicy(action, here.scope);
    if (!policy.ok) return draft.fail(path, policy.error, id);
    const data = { attempt: 1, input: input.value, ...policy.value, ...(undo === undefined ? {} : { undo }) };
    draft.record({ kind: "running", path, data });
  }
  draft.attempts.set(path, attempt);
  return pending;
}

/** When the run's time window opens; undefined while it is open. */
function windowOpensAt({ state, now, today }: PlanDraft): number | undefined {
  const { window } = state.policy;
  if (window === undefined) return undefined;
  const opening = nextInside(window, today);
  return opening === today ? undefined : now + (opening - today);
}
