// A step that calls: a plugin's step or another workflow, with what accompanies it.

import type { SideStep, WorkflowStep } from "../../schemas/workflow.types.ts";
import { parseDuration } from "../duration.ts";
import { errorShape, type Standing } from "./check-body.ts";
import { calledEntry, calledName, checkCalled } from "./check-called.ts";
import { checkExpressions, checkKind, numberKinds } from "./check-expressions.ts";
import { checkSignal } from "./check-signals.ts";
import { checkVerb } from "./check-verb.ts";
import { checkWith } from "./check-with.ts";
import type { Checking } from "./checking.ts";
import { Scope } from "./scope.ts";
import { closed, type Shape } from "./shapes.ts";
import { type Visible, withContexts } from "./visible.ts";

type Call = WorkflowStep & { uses: string };

const progressShape = closed({
  percent: { type: ["number", "null"] },
  message: { type: ["string", "null"] },
  details: {},
});

/** Reports what is wrong in a call, and gives what is known of its outputs. */
export function checkCall(step: Call, place: string, visible: Visible, checking: Checking, standing: Standing): Shape {
  const { catalogue, broken } = checking;
  const name = calledName(step.uses);
  if (name === undefined) checkVerb(checking, `${place}/uses`, step.uses, catalogue.steps, "step");
  else checkCalled(checking, `${place}/uses`, name);
  const entry = name === undefined ? catalogue.steps.get(step.uses) : calledEntry(name, catalogue);
  const taken =
    name === undefined
      ? { schema: entry?.input, trusted: catalogue.steps.get(step.uses)?.trusted ?? true, by: "step" as const }
      : { schema: entry?.input, trusted: true, by: "workflow" as const };
  if (step.with !== undefined || !broken.has(place)) checkWith(checking, place, step.with, taken, visible);
  for (const key of ["with", "retry", "timeout"] as const)
    checkExpressions(checking, `${place}/${key}`, step[key], visible);
  checkPolicy(step, place, visible, checking);
  if (step.uses === "host/signal") checkSignal(checking, `${place}/with/name`, step.with?.name, "sent");
  if (step.uses === "host/wait") checkSignal(checking, `${place}/with/for`, step.with?.for, "awaited");
  const outputs = entry === undefined ? undefined : outputsOf(entry.output);
  checkUndo(step, place, visible, outputs, checking, standing);
  if (step.onProgress !== undefined) {
    const sees = withContexts(visible, [["progress", progressShape]]);
    checkSideStep(step.onProgress, `${place}/onProgress`, sees, checking, standing);
  }
  return outputs;
}

/** What a step returns is what its manifest says, unless the manifest leaves it open on purpose. */
function outputsOf(output: Shape): Shape {
  if (output === undefined) return closed({});
  return "additionalProperties" in output || output.properties === undefined
    ? output
    : { ...output, additionalProperties: false };
}

function checkPolicy({ retry, timeout }: Call, place: string, visible: Visible, checking: Checking): void {
  for (const key of ["retries", "backoff"] as const)
    checkKind(checking, `${place}/retry/${key}`, retry?.[key], numberKinds, visible);
  for (const key of ["delay", "maxDelay"] as const)
    checkKind(checking, `${place}/retry/${key}`, retry?.[key], ["string"], visible);
  checkKind(checking, `${place}/timeout`, timeout, ["string"], visible);
  if (typeof timeout === "string" && parseDuration(timeout) === 0)
    checking.report(`${place}/timeout`, { code: "VALUE_WRONG", message: "`timeout` must be longer than zero" });
}

function checkUndo(
  { id, undo }: Call,
  place: string,
  visible: Visible,
  outputs: Shape,
  checking: Checking,
  standing: Standing,
): void {
  if (undo === undefined) return;
  if (standing.cleaning) {
    const message = "nothing in `onFailure` and `finally` is ever undone";
    checking.report(`${place}/undo`, { code: "STEP_FORM", message, where: "key" });
  }
  const steps = new Scope(visible.steps);
  // Undone is only what has begun.
  if (id !== undefined) steps.set(id, { outputs });
  const sees = { ...withContexts(visible, [["error", errorShape]]), steps };
  checkSideStep(undo, `${place}/undo`, sees, checking, standing);
}

/** `undo` and `onProgress`: one step each, which sees a little more than the step it belongs to. */
function checkSideStep(step: SideStep, place: string, visible: Visible, checking: Checking, standing: Standing): void {
  if (step.uses === undefined) return;
  if (calledName(step.uses) === undefined && step.uses !== "host/wait") {
    checkCall({ ...step }, place, visible, checking, standing);
    return;
  }
  const message = `${step.uses} cannot stand here: it has to be one step of a plugin`;
  checking.report(`${place}/uses`, { code: "STEP_FORM", message });
}
