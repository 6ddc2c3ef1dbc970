// The steps of a workflow, list by list: what each may hold, and what it sees.

import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import { parseDuration } from "../duration.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { VerbCatalogue } from "./catalogue.ts";
import { checkExpressions } from "./check-expressions.ts";
import { checkVerb } from "./check-verb.ts";
import { checkWith } from "./check-with.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { closed, type Shape, type Visible } from "./visible.ts";

export interface StepSurroundings {
  document: Document;
  catalogue: VerbCatalogue;
  named: boolean;
}

type Body = Pick<Workflow, "steps" | "onFailure" | "finally" | "outputs">;

/** A workflow, a block or a `forEach`, and the shape of the outputs it declares. */
export function checkBody(
  body: Body,
  base: string,
  outer: Visible,
  surroundings: StepSurroundings,
): { faults: Fault[]; outputs: Shape } {
  const { document } = surroundings;
  const steps = new Map(outer.steps);
  const ids = new Map<string, string>();
  const faults = checkList(body.steps, `${base}/steps`, { ...outer, steps }, ids, surroundings);
  const inside: Visible = { ...outer, steps, later: new Set() };
  faults.push(...checkExpressions(document, `${base}/outputs`, body.outputs as Json | undefined, inside));
  const error = closed({ code: {}, message: {}, details: {}, step: {}, retryable: {}, remedy: {} });
  const failing: Visible = { ...inside, contexts: new Map([...outer.contexts, ["error", error]]) };
  faults.push(...checkList(body.onFailure ?? [], `${base}/onFailure`, failing, ids, surroundings));
  faults.push(...checkList(body.finally ?? [], `${base}/finally`, inside, ids, surroundings));
  return { faults, outputs: outputsShape(body.outputs) };
}

/** What is known of the value of `outputs`. */
function outputsShape(outputs: Body["outputs"]): Shape {
  if (outputs === undefined) return closed({});
  return typeof outputs === "object"
    ? closed(Object.fromEntries(Object.keys(outputs).map((name) => [name, {}])))
    : undefined;
}

// `visible.steps` grows as the list goes on; `ids` are all of the body so far, with their places.
function checkList(
  list: WorkflowStep[],
  base: string,
  visible: Visible,
  ids: Map<string, string>,
  surroundings: StepSurroundings,
): Fault[] {
  const { document } = surroundings;
  const steps = visible.steps as Map<string, Shape>;
  const later = new Set(list.flatMap(({ id }) => id ?? []));
  return list.flatMap((step, index) => {
    const place = `${base}/${index}`;
    const { faults, outputs } = checkStep(step, place, { ...visible, later }, surroundings);
    const { id } = step;
    if (id === undefined) return faults;
    if (ids.has(id) || steps.has(id))
      faults.push(
        faultAt(document, `${place}/id`, { code: "STEP_ID_DUPLICATE", message: `another step here is called ${id}` }),
      );
    ids.set(id, place);
    steps.set(id, outputs);
    later.delete(id);
    return faults;
  });
}

function checkStep(
  step: WorkflowStep,
  place: string,
  visible: Visible,
  surroundings: StepSurroundings,
): { faults: Fault[]; outputs: Shape } {
  const { document, catalogue } = surroundings;
  const misplaced = checkForm(step, place, document);
  const faults = [...misplaced, ...checkExpressions(document, `${place}/if`, step.if, visible)];
  if (step.uses !== undefined) {
    const entry = catalogue.steps.get(step.uses);
    faults.push(...checkVerb(document, `${place}/uses`, step.uses, catalogue.steps, "step", surroundings));
    faults.push(...checkWith(document, place, step.with as Json | undefined, entry?.input));
    for (const key of ["with", "retry", "timeout"] as const)
      faults.push(...checkExpressions(document, `${place}/${key}`, step[key] as Json | undefined, visible));
    if (typeof step.timeout === "string" && parseDuration(step.timeout) === 0)
      faults.push(
        faultAt(document, `${place}/timeout`, { code: "VALUE_WRONG", message: "`timeout` must be longer than zero" }),
      );
    return { faults, outputs: entry === undefined ? undefined : outputOf(entry.output) };
  }
  if (step.steps === undefined) return { faults, outputs: undefined };
  const body = { ...step, steps: step.steps };
  if (step.forEach === undefined) {
    const inner = checkBody(body, place, visible, surroundings);
    return { faults: [...faults, ...inner.faults], outputs: inner.outputs };
  }
  faults.push(...checkExpressions(document, `${place}/forEach`, step.forEach as Json, visible));
  const contexts = new Map([...visible.contexts, ["index", {}] as const]);
  if (step.as !== undefined) contexts.set(step.as, undefined);
  const inner = checkBody(body, place, { ...visible, contexts }, surroundings);
  return {
    faults: [...faults, ...inner.faults],
    outputs: closed({ items: { type: "array", items: inner.outputs ?? {} } }),
  };
}

// What a step returns is what its manifest says, unless the manifest leaves it open on purpose.
function outputOf(output: JsonObject | undefined): Shape {
  if (output === undefined) return closed({});
  return "additionalProperties" in output || output.properties === undefined
    ? output
    : { ...output, additionalProperties: false };
}

const forms = {
  uses: new Set(["uses", "with", "retry", "timeout"]),
  forEach: new Set(["forEach", "as", "steps", "onFailure", "finally", "outputs"]),
  steps: new Set(["steps", "onFailure", "finally", "outputs"]),
};
const ofAll = new Set(["id", "name", "if", "continueOnError"]);

/** A step has one of three forms, and only the members of that form. */
function checkForm(step: WorkflowStep, place: string, document: Document): Fault[] {
  const form = (["uses", "forEach", "steps"] as const).find((name) => step[name] !== undefined);
  if (form === undefined)
    return [
      faultAt(document, place, {
        code: "STEP_FORM",
        message: "a step has `uses`, `forEach` or `steps`",
        where: "object",
      }),
    ];
  const faults = Object.keys(step)
    .filter((key) => !ofAll.has(key) && !forms[form].has(key))
    .map((key) =>
      faultAt(document, `${place}/${key}`, {
        code: "STEP_FORM",
        message: `a step with \`${form}\` has no \`${key}\``,
        where: "key",
      }),
    );
  if (form === "forEach" && step.steps === undefined)
    faults.push(
      faultAt(document, place, {
        code: "KEY_MISSING",
        message: "`steps` is missing: what to do for each item",
        where: "object",
      }),
    );
  return faults;
}
