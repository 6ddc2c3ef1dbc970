// A workflow that another one calls: its input is checked and its `vars` are evaluated once, when it is called.

import { toFailure } from "../errors.ts";
import type { Scope } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";
import { fixValues } from "./fixed-values.ts";
import { checkInput } from "./input-checks.ts";
import type { Outcome } from "./place-outcome.ts";
import type { Here, PlanDraft, WalkBody } from "./plan-draft.ts";
import type { CallNode } from "./program.ts";
import { evaluateAt, type Read } from "./read-values.ts";
import type { RecordData } from "./records.ts";
import type { NodeState } from "./state.ts";

export function planCall(
  draft: PlanDraft,
  walkBody: WalkBody,
  node: CallNode,
  path: string,
  here: Here,
  before: NodeState | undefined,
): Outcome {
  if (before === undefined) {
    const called = begin(draft, node, here.scope);
    if (!called.ok) return draft.fail(path, called.error, node.id);
    draft.record({ kind: "called", path, data: called.value });
  }
  const { input, vars, at } = draft.state.nodes.get(path)!.call!;
  const scope: Scope = { ...calledScope(here.scope, input), vars, steps: {} };
  return draft.close(path, walkBody(node.program, `${path}/call`, { ...here, scope }, at), node.id);
}

function begin(draft: PlanDraft, { program, undo, with: given }: CallNode, outer: Scope): Read<RecordData["called"]> {
  const evaluated = evaluateAt(given, outer);
  if (!evaluated.ok) return evaluated;
  const input = structuredClone(evaluated.value);
  try {
    checkInput(program.name, program.inputs, input);
  } catch (error) {
    return { ok: false, error: toFailure(error) };
  }
  const vars = evaluateAt(program.vars, calledScope(outer, input));
  if (!vars.ok) return vars;
  const fixed = undo === undefined ? {} : { undo: fixValues(undo.reads, outer) };
  return { ok: true, value: { input, vars: vars.value, at: draft.now, ...fixed } };
}

/** What a called workflow sees of the run that calls it. */
const calledScope = ({ run, device, config }: Scope, inputs: Json) =>
  ({ run, device, config, event: {}, inputs }) as unknown as Scope;
