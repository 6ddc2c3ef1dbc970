// A workflow document: its shape, its forms, the verbs it uses, and all that its expressions read.

import workflowSchema from "../../schemas/workflow.schema.json" with { type: "json" };
import type { Workflow } from "../../schemas/workflow.types.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { VerbCatalogue } from "./catalogue.ts";
import { checkExpressions } from "./check-expressions.ts";
import { schemaIsSound } from "./check-manifest.ts";
import { checkBody } from "./check-steps.ts";
import { checkVerb } from "./check-verb.ts";
import { checkWith } from "./check-with.ts";
import type { Document } from "./document.ts";
import type { Fault } from "./fault.ts";
import { compileSchema, schemaFaults } from "./schema-check.ts";
import { closed, type Shape, type Visible } from "./visible.ts";

export interface WorkflowCheckOptions {
  /**
   * Whether a person named this very file: then a plugin that is not enabled is a fault. In a scanned folder the
   * workflow is merely not active, and a note says so.
   */
  named: boolean;
}

let checkShape: ReturnType<typeof compileSchema> | undefined;

export function checkWorkflow(document: Document, catalogue: VerbCatalogue, options: WorkflowCheckOptions): Fault[] {
  checkShape ??= compileSchema(workflowSchema as unknown as JsonObject);
  const shapeFaults = schemaFaults(document, checkShape(document.value));
  // What does not have the shape cannot be looked into any further without guessing.
  if (shapeFaults.length > 0) return inOrder(shapeFaults);
  const workflow = document.value as unknown as Workflow;
  const { on = [], inputs, vars, concurrency, enabled } = workflow;
  const host: [string, Shape][] = [
    ["config", closed(Object.fromEntries(Object.keys(catalogue.config).map((name) => [name, {}])))],
    ["device", closed({ deviceId: {}, tenantId: {}, policyId: {} })],
  ];
  const events = on.map(({ trigger }) => catalogue.triggers.get(trigger)?.event);
  const given: [string, Shape][] = [
    [
      "inputs",
      (inputs as JsonObject | undefined) ??
        (on.length === 1 ? catalogue.triggers.get(on[0]!.trigger)?.input : undefined),
    ],
    ["event", events.length === 1 ? events[0] : undefined],
    ...host,
  ];
  const run: [string, Shape] = ["run", closed({ id: {}, workflow: {}, startedAt: {}, retryOf: {}, directory: {} })];
  const varsShape = closed(Object.fromEntries(Object.keys(vars ?? {}).map((name) => [name, {}])));

  const faults: Fault[] = [];
  const expressions = (pointer: string, value: unknown, contexts: [string, Shape][]) =>
    faults.push(...checkExpressions(document, pointer, value as Json, visibleOf(contexts)));
  expressions("/enabled", enabled, host);
  for (const [index, { trigger, with: settings }] of on.entries()) {
    const place = `/on/${index}`;
    faults.push(...checkVerb(document, `${place}/trigger`, trigger, catalogue.triggers, "trigger", options));
    faults.push(...checkWith(document, place, settings as Json | undefined, catalogue.triggers.get(trigger)?.with));
    expressions(`${place}/with`, settings, host);
  }
  if (inputs !== undefined) faults.push(...schemaIsSound(document, "/inputs", inputs as Json));
  expressions("/concurrency/group", concurrency?.group, given);
  expressions("/vars", vars, [run, ...given]);
  const visible = visibleOf([run, ...given, ["vars", varsShape], ["steps", undefined]]);
  faults.push(...checkBody(workflow, "", visible, { document, catalogue, named: options.named }).faults);
  return inOrder(onceInactive(faults));
}

function visibleOf(contexts: [string, Shape][]): Visible {
  return { contexts: new Map(contexts), steps: new Map(), later: new Set() };
}

// One note is enough to say that a workflow is not active.
function onceInactive(faults: Fault[]): Fault[] {
  const first = faults.find(({ code, severity }) => code === "PLUGIN_NOT_ENABLED" && severity === "note");
  return faults.filter((fault) => fault === first || fault.code !== "PLUGIN_NOT_ENABLED" || fault.severity === "fault");
}

function inOrder(faults: Fault[]): Fault[] {
  return faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
