// Lists of steps: a workflow's, a block's, those of a `forEach` and of a `parallel`. What each step sees follows from the
// lists around it and from what stands before it.

import type { WorkflowStep } from "../../schemas/workflow.types.ts";
import type { Json } from "../sdk.ts";
import { checkExpressions, checkKind } from "./check-expressions.ts";
import { checkSignal } from "./check-signals.ts";
import { checkStep } from "./check-step.ts";
import type { Checking } from "./checking.ts";
import { shapeOfValue } from "./expression-kinds.ts";
import { Scope } from "./scope.ts";
import { closed, type Shape } from "./shapes.ts";
import { type Visible, type VisibleStep, withContexts } from "./visible.ts";

type Body = Partial<Pick<WorkflowStep, "steps" | "parallel" | "onFailure" | "finally" | "outputs" | "abortOn">>;

export const errorShape = closed({
  code: { type: "string" },
  message: { type: "string" },
  details: {},
  step: { type: ["string", "null"] },
  retryable: { type: "boolean" },
  remedy: { type: ["string", "null"] },
});

/** Where a list of steps stands. `cleaning`: inside `onFailure` or `finally`, where nothing is undone. */
export interface Standing {
  cleaning: boolean;
}

/** Reports what is wrong in a body, and gives the shape of the outputs it declares. */
export function checkBody(body: Body, base: string, outer: Visible, checking: Checking, standing: Standing): Shape {
  const { broken } = checking;
  const { outputs, abortOn } = body;
  checkExpressions(checking, `${base}/abortOn`, abortOn, outer);
  checkKind(checking, `${base}/abortOn`, abortOn, ["string"], outer);
  checkSignal(checking, `${base}/abortOn`, abortOn, "awaited");

  const steps = new Scope(outer.steps);
  const ids = new Map<string, number>();
  const isOpen = body.steps === undefined && body.parallel === undefined;
  const seen: Visible = { ...outer, steps, ...(isOpen ? { anyStep: true } : {}) };
  let lacksIds = false;
  const check = (list: WorkflowStep[], place: string, visible: Visible, cleaning: boolean) => {
    lacksIds = checkList(list, place, visible, ids, checking, { cleaning }) || lacksIds;
  };
  if (body.steps !== undefined) check(body.steps, `${base}/steps`, seen, standing.cleaning);
  for (const [index, list] of body.parallel?.entries() ?? []) {
    // A list beside others sees what is before all of them, and nothing of the others.
    const own = new Scope(outer.steps);
    check(list, `${base}/parallel/${index}`, { ...seen, steps: own }, standing.cleaning);
    for (const { id } of list) if (id !== undefined) steps.set(id, own.get(id) ?? { outputs: undefined });
  }

  const inside: Visible = { ...seen, ...(lacksIds ? { anyStep: true } : {}) };
  checkExpressions(checking, `${base}/outputs`, outputs, inside);
  checkKind(checking, `${base}/outputs`, outputs, "any", inside);
  const shape =
    outputs === undefined && broken.has(base) ? undefined : shapeOfOutputs(outputs as Json | undefined, inside);
  check(body.onFailure ?? [], `${base}/onFailure`, withContexts(inside, [["error", errorShape]]), true);
  check(body.finally ?? [], `${base}/finally`, inside, true);
  return shape;
}

function shapeOfOutputs(outputs: Json | undefined, visible: Visible): Shape {
  return outputs === undefined ? closed({}) : shapeOfValue(outputs, visible);
}

/**
 * Each step sees those before it: `visible.steps` grows as the list goes on. `ids` counts all of the body so far. Gives
 * whether some step may have lost its id.
 */
function checkList(
  list: WorkflowStep[],
  base: string,
  visible: Visible,
  ids: Map<string, number>,
  checking: Checking,
  standing: Standing,
): boolean {
  const { steps } = visible;
  const later = new Scope(visible.later);
  for (const { id } of list) if (id !== undefined) later.set(id, true);
  let lacksIds = false;
  for (const [index, step] of list.entries()) {
    const place = `${base}/${index}`;
    const anyStep = visible.anyStep === true || lacksIds ? { anyStep: true } : {};
    const outputs = checkStep(step, place, { ...visible, later, ...anyStep }, checking, standing);
    if (step.id === undefined) lacksIds ||= checking.broken.has(place);
    else declare(step.id, { outputs, condition: step.if }, `${place}/id`, { steps, ids, later }, checking);
  }
  return lacksIds;
}

function declare(
  id: string,
  step: VisibleStep,
  pointer: string,
  { steps, ids, later }: { steps: Scope<VisibleStep>; ids: Map<string, number>; later: Scope<true> },
  { report }: Checking,
): void {
  const count = (ids.get(id) ?? (steps.has(id) ? 1 : 0)) + 1;
  if (count === 2) report(pointer, { code: "STEP_ID_DUPLICATE", message: `another step here is called ${id}` });
  ids.set(id, count);
  steps.set(id, step);
  later.delete(id);
}
