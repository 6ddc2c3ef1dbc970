// One step of a workflow, in any of its forms.

import type { WorkflowStep } from "../../schemas/workflow.types.ts";
import { parseText, wholePathOf } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";
import { checkBody, type Standing } from "./check-body.ts";
import { checkCall } from "./check-call.ts";
import { checkExpressions, checkKind, conditionKinds, numberKinds } from "./check-expressions.ts";
import { checkForm, isLoop } from "./check-form.ts";
import type { Checking } from "./checking.ts";
import { shapeOfValue } from "./expression-kinds.ts";
import { closed, innerShape, type Shape } from "./shapes.ts";
import { shapeAt, type Visible, withContexts } from "./visible.ts";

/** Reports what is wrong in a step, and gives what is known of its outputs. */
export function checkStep(
  step: WorkflowStep,
  place: string,
  outer: Visible,
  checking: Checking,
  standing: Standing,
): Shape {
  checkForm(step, place, checking);
  checkExpressions(checking, `${place}/if`, step.if, outer, { nullable: true });
  checkKind(checking, `${place}/if`, step.if, conditionKinds, outer);
  const visible = typeof step.if === "string" ? { ...outer, conditions: [...outer.conditions, step.if] } : outer;
  if (step.uses !== undefined)
    return checkCall({ ...step, uses: step.uses }, place, itemSight(step, visible), checking, standing);
  if (isLoop(step, checking.broken.has(place))) return checkLoop(step, place, visible, checking, standing);
  if (step.steps === undefined && step.parallel === undefined) return undefined;
  // Of a loop whose list was set aside the name of an item may be gone, too.
  const anyContext = checking.broken.has(`${place}/forEach`) ? { anyContext: true } : {};
  return checkBody(step, place, { ...itemSight(step, visible), ...anyContext }, checking, standing);
}

const taken = new Set([
  ...["inputs", "vars", "steps", "run", "event", "device", "config", "index", "progress", "error"],
  ...["true", "false", "null", "NaN", "Infinity"],
]);

function checkLoop(step: WorkflowStep, place: string, visible: Visible, checking: Checking, standing: Standing): Shape {
  const { broken, report } = checking;
  const { forEach, as, maxParallel } = step;
  checkExpressions(checking, `${place}/maxParallel`, maxParallel, visible);
  checkKind(checking, `${place}/maxParallel`, maxParallel, numberKinds, visible);
  checkExpressions(checking, `${place}/forEach`, forEach, visible);
  checkKind(checking, `${place}/forEach`, forEach, ["array"], visible);
  if (as !== undefined && taken.has(as)) {
    const message = `\`as\` must not be ${as}, which means something else in expressions`;
    report(`${place}/as`, { code: "VALUE_WRONG", message });
  }
  const named =
    as !== undefined && !taken.has(as) ? [[as, shapeOfItems(forEach as Json | undefined, visible)] as const] : [];
  const inner = withContexts(visible, [["index", { type: "integer" }], ...named]);
  const anyContext = as === undefined && broken.has(place) ? { anyContext: true } : {};
  const outputs = checkBody(step, place, { ...inner, ...anyContext }, checking, standing);
  return closed({ items: { type: "array", items: outputs ?? {} } });
}

function shapeOfItems(forEach: Json | undefined, visible: Visible): Shape {
  if (Array.isArray(forEach)) return forEach.length === 1 ? shapeOfValue(forEach[0]!, visible) : undefined;
  if (typeof forEach !== "string") return undefined;
  const { parts, whole } = parseText(forEach);
  const tree = parts.find((part) => typeof part !== "string");
  const path = whole && tree !== undefined ? wholePathOf(tree) : undefined;
  const list = path === undefined ? undefined : shapeAt(path, visible);
  const items = list === undefined ? undefined : innerShape(list, 0);
  return items === "missing" ? undefined : items;
}

// `as` on a block or a call is a fault already; what reads it is not another one.
function itemSight({ as }: WorkflowStep, visible: Visible): Visible {
  return as === undefined
    ? visible
    : withContexts(visible, [
        [as, undefined],
        ["index", { type: "integer" }],
      ]);
}
