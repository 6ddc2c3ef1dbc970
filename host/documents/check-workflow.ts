// A workflow document: its shape, its forms, the verbs it uses, and all that its expressions read.

import semver from "semver";
import workflowSchema from "../../schemas/workflow.schema.json" with { type: "json" };
import type { Workflow } from "../../schemas/workflow.types.ts";
import { hasExpression, parseText } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { VerbCatalogue } from "./catalogue.ts";
import { checkExpressions } from "./check-expressions.ts";
import { checkBody, mustBeWhole } from "./check-steps.ts";
import { checkVerb } from "./check-verb.ts";
import { checkWith } from "./check-with.ts";
import { type Document, faultAt } from "./document.ts";
import { type Fault, inOrder } from "./fault.ts";
import { parsePointer, pointerTo } from "./pointer.ts";
import { compileSchema, type SchemaProblem, schemaFaults } from "./schema-check.ts";
import { schemaIsSound } from "./schema-soundness.ts";
import { type SoundPart, soundPartOf } from "./sound-part.ts";
import { closed, type Shape, type Visible } from "./visible.ts";

export interface WorkflowCheckOptions {
  /**
   * Whether a person named this very file: then a plugin that is not enabled is a fault. In a scanned folder the
   * workflow is merely not active, and a note says so.
   */
  named: boolean;
}

export function checkWorkflow(document: Document, catalogue: VerbCatalogue, options: WorkflowCheckOptions): Fault[] {
  const sound = soundPartOf(document, shapeProblems);
  const shapeFaults = sound.problems.flatMap((found) => schemaFaults(found.document, [found.problem]));
  return inOrder([...shapeFaults, ...onceInactive(checkMeaning(sound, catalogue, options))]);
}

let checkShape: ReturnType<typeof compileSchema> | undefined;

function shapeProblems({ value }: Document): SchemaProblem[] {
  checkShape ??= compileSchema(workflowSchema as unknown as JsonObject);
  return checkShape(value).filter(({ pointer }) => !isFaultyExpression(value, pointer));
}

const ofExpressions = ["if", "forEach", "enabled", "retries", "backoff", "delay", "maxDelay", "timeout", "outputs"];

// An expression that cannot be read is a fault of its own, and no value of the wrong kind.
function isFaultyExpression(value: Json, pointer: string): boolean {
  const path = parsePointer(pointer);
  if (!ofExpressions.includes(path.at(-1) ?? "")) return false;
  const text = path.reduce<Json | undefined>((inner, key) => (inner as JsonObject | undefined)?.[key], value);
  return typeof text === "string" && hasExpression(text) && parseText(text).faults.length > 0;
}

function checkMeaning(
  { document, broken }: SoundPart,
  catalogue: VerbCatalogue,
  options: WorkflowCheckOptions,
): Fault[] {
  const workflow = document.value as unknown as Partial<Workflow>;
  const { on = [], inputs, vars, concurrency, enabled } = workflow;
  const faults: Fault[] = [];
  const expressions = (pointer: string, value: unknown, contexts: [string, Shape][]) =>
    faults.push(...checkExpressions(document, pointer, value as Json, visibleOf(contexts)));
  const config: [string, Shape] = [
    "config",
    closed(Object.fromEntries(Object.keys(catalogue.config).map((name) => [name, {}]))),
  ];
  const host: [string, Shape][] = [config, ["device", closed({ deviceId: {}, tenantId: {}, policyId: {} })]];
  expressions("/enabled", enabled, [config]);
  faults.push(...mustBeWhole(document, "/enabled", enabled));
  for (const [index, { trigger, with: settings }] of on.entries()) {
    const place = `/on/${index}`;
    expressions(`${place}/with`, settings, host);
    if (trigger === undefined) continue;
    faults.push(...checkVerb(document, `${place}/trigger`, trigger, catalogue.triggers, "trigger", options));
    if (settings === undefined && broken.has(place)) continue;
    faults.push(...checkWith(document, place, settings as Json | undefined, catalogue.triggers.get(trigger)?.with));
  }
  const unsound = inputs === undefined ? [] : schemaIsSound(document, "/inputs", inputs as JsonObject);
  faults.push(...unsound);
  const only = on.length === 1 && on[0]!.trigger !== undefined ? catalogue.triggers.get(on[0]!.trigger) : undefined;
  const inputShape = unsound.length > 0 ? undefined : ((inputs as JsonObject | undefined) ?? only?.input);
  const given: [string, Shape][] = [["inputs", inputShape], ["event", only?.event], ...host];
  expressions("/concurrency/group", concurrency?.group, given);
  const run: [string, Shape] = ["run", closed({ id: {}, workflow: {}, startedAt: {}, retryOf: {}, directory: {} })];
  expressions("/vars", vars, [run, ...given]);
  const varsShape =
    vars === undefined && broken.has("")
      ? undefined
      : closed(Object.fromEntries(Object.keys(vars ?? {}).map((name) => [name, {}])));
  expressions("/requires", workflow.requires, given);
  faults.push(...checkRanges(document, workflow.requires));
  expressions("/window", workflow.window, [run, ...given, ["vars", varsShape]]);
  expressions("/limits", workflow.limits, [run, ...given, ["vars", varsShape]]);
  const visible = visibleOf([run, ...given, ["vars", varsShape], ["steps", undefined]]);
  faults.push(...checkBody(workflow, "", visible, { document, broken, catalogue, named: options.named }).faults);
  return faults;
}

/** The version ranges of `requires`. */
function checkRanges(document: Document, requires: Partial<Workflow["requires"]>): Fault[] {
  const { host, plugins = {} } = requires ?? {};
  const ranges = Object.entries(plugins).map(
    ([name, range]) => [`/requires/plugins${pointerTo([name])}`, range] as const,
  );
  return [["/requires/host", host] as const, ...ranges]
    .filter(([, range]) => typeof range === "string" && semver.validRange(range) === null)
    .map(([pointer, range]) =>
      faultAt(document, pointer, { code: "VALUE_WRONG", message: `${range} is no range of versions, such as ^1.2.0` }),
    );
}

function visibleOf(contexts: [string, Shape][]): Visible {
  return { contexts: new Map(contexts), steps: new Map(), later: new Set() };
}

// One note is enough to say that a workflow is not active.
function onceInactive(faults: Fault[]): Fault[] {
  const first = faults.find(({ code, severity }) => code === "PLUGIN_NOT_ENABLED" && severity === "note");
  return faults.filter((fault) => fault === first || fault.code !== "PLUGIN_NOT_ENABLED" || fault.severity === "fault");
}
