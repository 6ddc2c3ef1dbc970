// Where a run waits: for a time, for a part of the day, or for a signal.

import { GantryError, toFailure } from "../errors.ts";
import { type Outcome, pending } from "./place-outcome.ts";
import type { Here, PlanDraft } from "./plan-draft.ts";
import type { WaitNode } from "./program.ts";
import { readWait, type Wait } from "./read-values.ts";
import type { RecordData } from "./records.ts";
import type { NodeState } from "./state.ts";
import { nextInside } from "./time-window.ts";

/** How long a signal may come before the wait for it begins. */
export const earlySignalMs = 60_000;

export function planWait(
  draft: PlanDraft,
  node: WaitNode,
  path: string,
  here: Here,
  before: NodeState | undefined,
): Outcome {
  if (before !== undefined && here.abort !== undefined) return draft.fail(path, here.abort, node.id);
  if (before === undefined) {
    const read = readWait(node, here.scope);
    if (!read.ok) return draft.fail(path, read.error, node.id);
    const { timeoutMs } = read.value;
    const deadline = timeoutMs === undefined ? {} : { deadline: draft.now + timeoutMs };
    draft.record({ kind: "waiting", path, data: { ...waitData(draft, read.value.wait), ...deadline } });
  }
  const wait = draft.state.nodes.get(path)!.wait!;
  const { until, signal, deadline } = wait;
  if (until !== undefined && until <= draft.now) return draft.close(path, { status: "succeeded", output: {} }, node.id);
  if (deadline !== undefined && deadline <= draft.now)
    return draft.fail(
      path,
      toFailure(new GantryError("STEP_TIMEOUT", "the wait was longer than its timeout")),
      node.id,
    );
  if (signal !== undefined) draft.listening.push({ path, signal: signal.name, since: signal.since, aborts: false });
  draft.waits.push({ path, uses: "host/wait", id: node.id, wait });
  for (const time of [until, deadline]) if (time !== undefined) draft.sleep(time);
  return pending;
}

function waitData(draft: PlanDraft, wait: Wait): RecordData["waiting"] {
  if (wait.kind === "duration") return { until: draft.now + wait.durationMs };
  if (wait.kind === "window") return { until: draft.now + (nextInside(wait.window, draft.today) - draft.today) };
  return { signal: { name: wait.name, since: draft.now - earlySignalMs } };
}
