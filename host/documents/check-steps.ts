// The steps of a workflow, list by list: what each may hold, and what it sees.

import type { SideStep, WorkflowStep } from "../../schemas/workflow.types.ts";
import { parseDuration } from "../duration.ts";
import { hasExpression, parseText, wholePathOf } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { VerbCatalogue } from "./catalogue.ts";
import { calledEntry, checkCalled } from "./check-called.ts";
import { checkExpressions } from "./check-expressions.ts";
import { checkForm } from "./check-form.ts";
import { checkVerb } from "./check-verb.ts";
import { checkWith } from "./check-with.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { closed, itemShape, type Shape, type Visible } from "./visible.ts";

export interface StepSurroundings {
  document: Document;
  /** Pointers of objects that lack something because it was set aside. */
  broken: ReadonlySet<string>;
  catalogue: VerbCatalogue;
  named: boolean;
  /** Inside `onFailure` or `finally`, where nothing is undone. */
  cleaning?: boolean;
}

type Body = Partial<Pick<WorkflowStep, "steps" | "parallel" | "onFailure" | "finally" | "outputs" | "abortOn">>;

const error = closed({ code: {}, message: {}, details: {}, step: {}, retryable: {}, remedy: {} });
const progress = closed({ percent: {}, message: {}, details: {} });

interface Checked {
  faults: Fault[];
  outputs: Shape;
}

/** A workflow, a block or a `forEach`, and the shape of the outputs it declares. */
export function checkBody(body: Body, base: string, outer: Visible, surroundings: StepSurroundings): Checked {
  const { document, broken } = surroundings;
  const { outputs } = body;
  const steps = new Map(outer.steps);
  const ids = new Map<string, number>();
  // Looked at in the order of lists, so that each sees what is before it.
  const lists = body.parallel?.map((list, index) => [list, `${base}/parallel/${index}`] as const);
  const main = lists ?? [[body.steps ?? [], `${base}/steps`] as const];
  const isOpen = body.steps === undefined && body.parallel === undefined;
  const seen: Visible = { ...outer, steps, ...(isOpen ? { anyStep: true } : {}) };
  const faults = checkExpressions(document, `${base}/abortOn`, body.abortOn, outer);
  for (const [list, place] of main) {
    // A list beside others sees what is before all of them, and nothing of the others.
    const own = lists === undefined ? steps : new Map(outer.steps);
    faults.push(...checkList(list, place, { ...seen, steps: own }, ids, surroundings));
    for (const { id } of list) if (id !== undefined) steps.set(id, own.get(id));
  }
  const lacking = main.some(([list, place]) => lacksId(list, place, broken));
  const inside: Visible = { ...seen, ...(lacking ? { anyStep: true } : {}) };
  faults.push(...checkExpressions(document, `${base}/outputs`, outputs as Json | undefined, inside));
  faults.push(...mustBeWhole(document, `${base}/outputs`, outputs));
  const failing: Visible = { ...inside, contexts: new Map([...outer.contexts, ["error", error]]) };
  const cleaning = { ...surroundings, cleaning: true };
  faults.push(...checkList(body.onFailure ?? [], `${base}/onFailure`, failing, ids, cleaning));
  faults.push(...checkList(body.finally ?? [], `${base}/finally`, inside, ids, cleaning));
  return { faults, outputs: outputs === undefined && broken.has(base) ? undefined : outputsShape(outputs) };
}

/** What is known of the value of `outputs`. */
export function outputsShape(outputs: Body["outputs"]): Shape {
  if (outputs === undefined) return closed({});
  return typeof outputs === "object"
    ? closed(Object.fromEntries(Object.keys(outputs).map((name) => [name, {}])))
    : undefined;
}

// `visible.steps` grows as the list goes on; `ids` counts all of the body so far.
function checkList(
  list: WorkflowStep[],
  base: string,
  visible: Visible,
  ids: Map<string, number>,
  surroundings: StepSurroundings,
): Fault[] {
  const { document, broken } = surroundings;
  const steps = visible.steps as Map<string, Shape>;
  const later = new Set([...visible.later, ...list.flatMap(({ id }) => id ?? [])]);
  return list.flatMap((step, index) => {
    const place = `${base}/${index}`;
    const anyStep = visible.anyStep === true || lacksId(list.slice(0, index), base, broken);
    const { faults, outputs } = checkStep(
      step,
      place,
      { ...visible, later, ...(anyStep ? { anyStep } : {}) },
      surroundings,
    );
    const { id } = step;
    if (id === undefined) return faults;
    const count = (ids.get(id) ?? (steps.has(id) ? 1 : 0)) + 1;
    if (count === 2)
      faults.push(
        faultAt(document, `${place}/id`, { code: "STEP_ID_DUPLICATE", message: `another step here is called ${id}` }),
      );
    ids.set(id, count);
    steps.set(id, outputs);
    later.delete(id);
    return faults;
  });
}

function lacksId(list: WorkflowStep[], base: string, broken: ReadonlySet<string>): boolean {
  return list.some(({ id }, index) => id === undefined && broken.has(`${base}/${index}`));
}

function checkStep(step: WorkflowStep, place: string, visible: Visible, surroundings: StepSurroundings): Checked {
  const { document, broken } = surroundings;
  const isBroken = broken.has(place);
  const faults = [
    ...checkForm(step, place, document, isBroken),
    ...checkExpressions(document, `${place}/if`, step.if, visible),
    ...mustBeWhole(document, `${place}/if`, step.if),
  ];
  const checked =
    step.uses !== undefined
      ? checkCall({ ...step, uses: step.uses }, place, visible, surroundings)
      : step.forEach !== undefined
        ? checkLoop(step, place, visible, surroundings)
        : step.steps !== undefined || step.parallel !== undefined
          ? checkBody(step, place, blockSight(step, visible), surroundings)
          : { faults: [], outputs: undefined };
  return { faults: [...faults, ...checked.faults], outputs: checked.outputs };
}

function checkCall(
  step: WorkflowStep & { uses: string },
  place: string,
  visible: Visible,
  surroundings: StepSurroundings,
): Checked {
  const { document, broken, catalogue } = surroundings;
  const entry = step.uses.startsWith("workflow:")
    ? calledEntry(step.uses.slice("workflow:".length), catalogue)
    : catalogue.steps.get(step.uses);
  const faults = step.uses.startsWith("workflow:")
    ? checkCalled(document, `${place}/uses`, step.uses.slice("workflow:".length), catalogue)
    : checkVerb(document, `${place}/uses`, step.uses, catalogue.steps, "step", surroundings);
  if (step.with !== undefined || !broken.has(place))
    faults.push(...checkWith(document, place, step.with as Json | undefined, entry?.input));
  faults.push(...checkSideSteps(step, place, visible, entry, surroundings));
  for (const key of ["with", "retry", "timeout"] as const)
    faults.push(...checkExpressions(document, `${place}/${key}`, step[key] as Json | undefined, visible));
  for (const key of ["retries", "backoff"] as const)
    faults.push(...mustBeWhole(document, `${place}/retry/${key}`, step.retry?.[key]));
  if (typeof step.timeout === "string" && parseDuration(step.timeout) === 0)
    faults.push(
      faultAt(document, `${place}/timeout`, { code: "VALUE_WRONG", message: "`timeout` must be longer than zero" }),
    );
  return { faults, outputs: entry === undefined ? undefined : outputOf(entry.output) };
}

/** `undo` and `onProgress`: one step each, which sees a little more than the step it belongs to. */
function checkSideSteps(
  step: WorkflowStep,
  place: string,
  visible: Visible,
  entry: { output: JsonObject | undefined } | undefined,
  surroundings: StepSurroundings,
): Fault[] {
  const { document, cleaning } = surroundings;
  const { id, undo, onProgress } = step;
  const faults: Fault[] = [];
  if (undo !== undefined) {
    const steps = new Map(visible.steps);
    if (id !== undefined) steps.set(id, entry === undefined ? undefined : outputOf(entry.output));
    const later = new Set([...visible.later].filter((name) => name !== id));
    const contexts = new Map([...visible.contexts, ["error", error] as const]);
    faults.push(...checkSideStep(undo, `${place}/undo`, { ...visible, steps, later, contexts }, surroundings));
  }
  if (undo !== undefined && cleaning === true) {
    const message = "nothing in `onFailure` and `finally` is ever undone";
    faults.push(faultAt(document, `${place}/undo`, { code: "STEP_FORM", message, where: "key" }));
  }
  if (onProgress !== undefined) {
    const contexts = new Map([...visible.contexts, ["progress", progress] as const]);
    faults.push(...checkSideStep(onProgress, `${place}/onProgress`, { ...visible, contexts }, surroundings));
  }
  return faults;
}

function checkSideStep(step: SideStep, place: string, visible: Visible, surroundings: StepSurroundings): Fault[] {
  if (step.uses === undefined) return [];
  const { document } = surroundings;
  if (!step.uses.startsWith("workflow:") && step.uses !== "host/wait")
    return checkCall({ ...step }, place, visible, surroundings).faults;
  const message = `${step.uses} cannot stand here: it has to be one step of a plugin`;
  return [faultAt(document, `${place}/uses`, { code: "STEP_FORM", message })];
}

// What a step returns is what its manifest says, unless the manifest leaves it open on purpose.
function outputOf(output: JsonObject | undefined): Shape {
  if (output === undefined) return closed({});
  return "additionalProperties" in output || output.properties === undefined
    ? output
    : { ...output, additionalProperties: false };
}

const taken = new Set([
  ...["inputs", "vars", "steps", "run", "event", "device", "config", "index", "progress", "error"],
  ...["true", "false", "null", "NaN", "Infinity"],
]);

function checkLoop(step: WorkflowStep, place: string, visible: Visible, surroundings: StepSurroundings): Checked {
  const { document, broken } = surroundings;
  const { forEach, as } = step;
  const faults = [
    ...checkExpressions(document, `${place}/maxParallel`, step.maxParallel as Json | undefined, visible),
    ...mustBeWhole(document, `${place}/maxParallel`, step.maxParallel),
    ...checkExpressions(document, `${place}/forEach`, forEach as Json, visible),
    ...mustBeWhole(document, `${place}/forEach`, forEach),
  ];
  if (as !== undefined && taken.has(as))
    faults.push(
      faultAt(document, `${place}/as`, {
        code: "VALUE_WRONG",
        message: `\`as\` must not be ${as}, which means something else in expressions`,
      }),
    );
  const contexts = new Map<string, Shape>([...visible.contexts, ["index", {}]]);
  if (as !== undefined && !taken.has(as)) contexts.set(as, shapeOfItems(forEach as Json, visible));
  const inner: Visible = {
    ...visible,
    contexts,
    ...(as === undefined && broken.has(place) ? { anyContext: true } : {}),
  };
  const body = checkBody(step, place, inner, surroundings);
  return {
    faults: [...faults, ...body.faults],
    outputs: closed({ items: { type: "array", items: body.outputs ?? {} } }),
  };
}

function shapeOfItems(forEach: Json, visible: Visible): Shape {
  if (typeof forEach !== "string") return undefined;
  const { parts, whole } = parseText(forEach);
  const tree = parts.find((part) => typeof part !== "string");
  const path = whole && tree !== undefined ? wholePathOf(tree) : undefined;
  return path === undefined ? undefined : itemShape(path, visible);
}

// `as` on a block is a fault already; what reads it is not another one.
function blockSight({ as }: WorkflowStep, visible: Visible): Visible {
  return as === undefined ? visible : { ...visible, contexts: new Map([...visible.contexts, [as, undefined]]) };
}

/** A fault where an expression must give something else than a text, and has other text around it. */
export function mustBeWhole(document: Document, pointer: string, value: unknown): Fault[] {
  if (typeof value !== "string" || !hasExpression(value)) return [];
  const { whole, faults } = parseText(value);
  if (whole || faults.length > 0) return [];
  const name = pointer.slice(pointer.lastIndexOf("/") + 1);
  const message = `\`${name}\` must be one whole \${{ }}, with nothing before or after it`;
  return [faultAt(document, pointer, { code: "VALUE_WRONG", message })];
}
