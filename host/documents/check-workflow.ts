// A workflow document: its shape, its forms, the verbs it uses, and all that its expressions read.

import validRange from "semver/ranges/valid.js";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import { hasExpression } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { VerbCatalogue } from "./catalogue.ts";
import { checkBody } from "./check-body.ts";
import { checkEffect } from "./check-called.ts";
import { checkExpressions, checkKind, numberKinds } from "./check-expressions.ts";
import { checkVerb } from "./check-verb.ts";
import { checkWith, inputBesideWith } from "./check-with.ts";
import { type Checking, startChecking } from "./checking.ts";
import type { Document } from "./document.ts";
import { shapeOfValue } from "./expression-kinds.ts";
import { type Fault, inOrder } from "./fault.ts";
import { checkNamedSecrets } from "./named-secrets.ts";
import { pointerTo } from "./pointer.ts";
import { schemaFaults } from "./schema-check.ts";
import { schemaIsSound } from "./schema-soundness.ts";
import { closed, listed, meant, memberNames, type Shape } from "./shapes.ts";
import { soundPartOf } from "./sound-part.ts";
import { visibleOf } from "./visible.ts";
import { shapeProblems } from "./workflow-shape.ts";

export interface WorkflowCheckOptions {
  /**
   * Whether a person named this very file: then a plugin that is not enabled is a fault. In a scanned folder the
   * workflow is merely not active, and a note says so.
   */
  named: boolean;
}

export function checkWorkflow(document: Document, catalogue: VerbCatalogue, { named }: WorkflowCheckOptions): Fault[] {
  const sound = soundPartOf(document, ({ value }) => shapeProblems(value));
  const shapeFaults = sound.problems.flatMap((found) =>
    schemaFaults(found.document, [inputBesideWith(found.problem, found.document.value, catalogue)]),
  );
  const checking = startChecking({ document: sound.document, broken: sound.broken, catalogue, named });
  const unsound = checkMeaning(sound.document.value as unknown as Partial<Workflow>, checking);
  return inOrder(withoutDoubledNotes([...shapeFaults, ...unsound, ...onceInactive(checking.faults)]));
}

const text: JsonObject = { type: "string" };
const runShape = closed({
  id: text,
  workflow: text,
  startedAt: text,
  retryOf: { type: ["string", "null"] },
  directory: text,
});
const deviceShape = closed({ deviceId: text, tenantId: text, policyId: text });

/** Gives the faults of the schema in `inputs`, and reports all others. */
function checkMeaning(workflow: Partial<Workflow>, checking: Checking): Fault[] {
  const { document, broken, catalogue } = checking;
  const { on = [], inputs, vars, concurrency, enabled } = workflow;
  const { configSchemas } = catalogue;
  const plugins = Object.keys(catalogue.config).map((name) => [name, configSchemas.get(name) ?? {}] as const);
  const config: [string, Shape] = ["config", closed(Object.fromEntries(plugins))];
  const host: [string, Shape][] = [config, ["device", deviceShape]];
  checkExpressions(checking, "/enabled", enabled, visibleOf([config]));
  checkKind(checking, "/enabled", enabled, ["boolean"], visibleOf([config]));
  checkTriggers(on, host, checking);
  checkAnswers(workflow, checking);

  const unsound = inputs === undefined ? [] : schemaIsSound(document, "/inputs", inputs as JsonObject);
  const only = on.length === 1 && on[0]!.trigger !== undefined ? catalogue.triggers.get(on[0]!.trigger) : undefined;
  const inputShape = unsound.length > 0 ? undefined : ((inputs as JsonObject | undefined) ?? only?.input);
  const given: [string, Shape][] = [["inputs", inputShape], ["event", only?.event], ...host];
  checkExpressions(checking, "/concurrency/group", concurrency?.group, visibleOf(given));
  checkKind(checking, "/concurrency/group", concurrency?.group, ["string"], visibleOf(given));
  checkRequires(workflow.requires, given, checking);

  const running = visibleOf([["run", runShape], ...given]);
  checkExpressions(checking, "/vars", vars, running);
  checkNamedSecrets(checking, "/vars", (vars ?? {}) as Json, {}, "vars");
  const varsShape = vars === undefined && broken.has("") ? undefined : shapeOfValue((vars ?? {}) as Json, running);
  const visible = visibleOf([...running.contexts, ["vars", varsShape], ["steps", undefined]], idsIn(workflow));
  checkPolicy(workflow, [...running.contexts, ["vars", varsShape]], checking);
  checkBody(workflow, "", visible, checking, { cleaning: false });
  if (on.length === 0 && typeof workflow.name === "string") checkEffect(checking, workflow.name, workflow);
  return unsound;
}

/** Of all steps, wherever they stand. */
function idsIn(
  body: Partial<Workflow> | WorkflowStep,
  found = { everywhere: new Set<string>(), named: new Map<string, string | undefined>() },
): typeof found {
  const { steps = [], onFailure = [], finally: always = [] } = body;
  const lists = "parallel" in body ? (body.parallel ?? []) : [];
  for (const step of [steps, onFailure, always, ...lists].flat()) {
    if (step.id !== undefined) found.everywhere.add(step.id);
    if (step.name !== undefined) found.named.set(step.name, step.id);
    idsIn(step, found);
  }
  return found;
}

function checkTriggers(on: NonNullable<Workflow["on"]>, contexts: [string, Shape][], checking: Checking): void {
  const { catalogue, broken } = checking;
  const visible = visibleOf(contexts);
  for (const [index, { trigger, with: settings }] of on.entries()) {
    const place = `/on/${index}`;
    checkExpressions(checking, `${place}/with`, settings, visible);
    if (trigger === undefined) continue;
    checkVerb(checking, `${place}/trigger`, trigger, catalogue.triggers, "trigger");
    if (settings === undefined && broken.has(place)) continue;
    const entry = catalogue.triggers.get(trigger);
    const taken = { schema: entry?.with, trusted: entry?.trusted ?? true, by: "trigger" as const };
    checkWith(checking, place, settings, taken, visible);
  }
}

/** `"answer": { "after": "<step id>" }` waits for a step of the workflow's own list. */
function checkAnswers({ on = [], steps }: Partial<Workflow>, { catalogue, broken, report }: Checking): void {
  const ids = new Set((steps ?? []).map(({ id }) => id));
  const lacksIds =
    steps === undefined || steps.some(({ id }, index) => id === undefined && broken.has(`/steps/${index}`));
  for (const [index, { trigger, with: settings }] of on.entries()) {
    if (lacksIds || catalogue.triggers.get(trigger)?.command === undefined) continue;
    const after = (settings?.answer as { after?: unknown } | null | undefined)?.after;
    if (typeof after !== "string" || ids.has(after) || hasExpression(after)) continue;
    const message = `no step in \`steps\` is called ${after}; steps inside of others do not count here`;
    const names = [...ids].filter((id) => id !== undefined);
    report(`/on/${index}/with/answer/after`, { code: "REFERENCE_UNKNOWN", message, ...meant(after, names) });
  }
}

function checkRequires(requires: Workflow["requires"], contexts: [string, Shape][], checking: Checking): void {
  const visible = visibleOf(contexts);
  checkExpressions(checking, "/requires/freeDiskBytes", requires?.freeDiskBytes, visible);
  checkKind(checking, "/requires/freeDiskBytes", requires?.freeDiskBytes, numberKinds, visible);
  for (const [name, value] of Object.entries(requires?.device ?? {})) checkProperty(name, value, checking);
  const ofPlugins = Object.entries(requires?.plugins ?? {}).map(
    ([name, range]) => [`/requires/plugins${pointerTo([name])}`, range] as const,
  );
  for (const [pointer, range] of [["/requires/host", requires?.host] as const, ...ofPlugins])
    if (range !== undefined && validRange(range) === null) {
      const message = `${JSON.stringify(range)} is no range of versions, such as ^1.2.0`;
      checking.report(pointer, { code: "VALUE_WRONG", message });
    }
}

/** A property of the device that `requires` asks for: it is compared as it is written. */
function checkProperty(name: string, value: unknown, { report }: Checking): void {
  const pointer = `/requires/device${pointerTo([name])}`;
  const known = memberNames(deviceShape);
  if (!known.includes(name)) {
    const message = `a device has no ${name}; it has ${listed(known)}`;
    report(pointer, { code: "KEY_UNKNOWN", message, where: "key", ...meant(name, known) });
  } else if (typeof value !== "string" || hasExpression(value)) {
    const message = `\`${name}\` must be a text, which is compared as it is written, without expressions`;
    report(pointer, { code: "VALUE_WRONG", message });
  }
}

function checkPolicy({ window, limits }: Partial<Workflow>, contexts: [string, Shape][], checking: Checking): void {
  const visible = visibleOf(contexts);
  checkExpressions(checking, "/window", window, visible);
  for (const end of ["from", "to"] as const) checkKind(checking, `/window/${end}`, window?.[end], ["string"], visible);
  checkExpressions(checking, "/limits", limits, visible);
  checkKind(checking, "/limits/bytesPerSecond", limits?.bytesPerSecond, numberKinds, visible);
}

// A text that is a fault where it stands needs no note that it is a text.
function withoutDoubledNotes(faults: Fault[]): Fault[] {
  const wrong = new Set(faults.filter(({ severity }) => severity === "fault").map(({ pointer }) => pointer));
  return faults.filter(({ code, pointer }) => code !== "EXPRESSION_NOT_MARKED" || !wrong.has(pointer));
}

// One note is enough to say that a workflow is not active.
function onceInactive(faults: Fault[]): Fault[] {
  const first = faults.find(({ code, severity }) => code === "PLUGIN_NOT_ENABLED" && severity === "note");
  return faults.filter((fault) => fault === first || fault.code !== "PLUGIN_NOT_ENABLED" || fault.severity === "fault");
}
