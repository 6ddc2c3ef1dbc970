// One workflow document: read, checked, and made ready for the engine.

import { createHash } from "node:crypto";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import type { CallableWorkflow, VerbCatalogue } from "../documents/catalogue.ts";
import { outputsShape } from "../documents/check-steps.ts";
import { checkWorkflow } from "../documents/check-workflow.ts";
import { type Document, type DocumentReading, readDocument } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import type { BrokenWorkflow, LoadedWorkflow } from "../engine/workflow.ts";
import type { JsonObject } from "../sdk.ts";

export interface WorkflowReading {
  document: Document | undefined;
  /** Undefined when the document has a fault. */
  workflow: LoadedWorkflow | undefined;
  /** There when the document has a fault, but its name and what starts it have none. */
  broken?: BrokenWorkflow;
  faults: Fault[];
}

export interface LoadOptions {
  /** Whether someone named this very file, and did not only keep it in a folder. */
  named: boolean;
  /** The sound workflows that it may call, by name. */
  callable?: ReadonlyMap<string, LoadedWorkflow>;
}

/** Reads and checks one workflow document. */
export function loadWorkflow(file: string, catalogue: VerbCatalogue, options: LoadOptions): WorkflowReading {
  const reading = checkReading(readDocument(file), catalogue, options);
  const { workflow } = reading;
  if (workflow === undefined) return reading;
  return { ...reading, workflow: { ...workflow, calls: callsOf(workflow, options.callable ?? new Map()) } };
}

/** What came of reading a document, checked; which workflows it calls is not looked up yet. */
export function checkReading(
  { document, faults }: DocumentReading,
  catalogue: VerbCatalogue,
  { named }: Pick<LoadOptions, "named">,
): WorkflowReading {
  if (document === undefined) return { document, workflow: undefined, faults };
  const found = [...faults, ...checkWorkflow(document, catalogue, { named })];
  const serious = found.filter(({ severity }) => severity === "fault");
  if (serious.length > 0) return { document, workflow: undefined, ...brokenPart(document, serious), faults: found };
  const content = document.value as unknown as Workflow;
  const { text } = document;
  const hash = createHash("sha256").update(text).digest("hex");
  const workflow = { name: content.name, file: document.file, document: content, text, hash, calls: new Map() };
  return { document, workflow, faults: found };
}

/** What others may know of a workflow before it is checked. */
export function callableOf({ value }: Document): CallableWorkflow {
  const { on, inputs, outputs, steps, onFailure, finally: always } = (value ?? {}) as unknown as Partial<Workflow>;
  return {
    hasTriggers: on !== undefined,
    inputs: inputs as JsonObject | undefined,
    outputs: outputsShape(outputs),
    calls: [...new Set([steps, onFailure, always].flatMap(callsIn))],
  };
}

/** All workflows it calls, directly or not, as far as they are there. */
export function callsOf(
  workflow: LoadedWorkflow,
  callable: ReadonlyMap<string, LoadedWorkflow>,
): Map<string, LoadedWorkflow> {
  const calls = new Map<string, LoadedWorkflow>();
  const add = ({ document: { steps, onFailure, finally: always } }: LoadedWorkflow) => {
    for (const name of [steps, onFailure, always].flatMap(callsIn)) {
      const called = callable.get(name);
      if (called === undefined || calls.has(name)) continue;
      calls.set(name, called);
      add(called);
    }
  };
  add(workflow);
  return calls;
}

// Documents of any shape come here, also those whose faults are told elsewhere.
export function callsIn(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((step: WorkflowStep | null) => {
    if (typeof step !== "object" || step === null) return [];
    const own = typeof step.uses === "string" && step.uses.startsWith("workflow:") ? [step.uses.slice(9)] : [];
    const lists = Array.isArray(step.parallel) ? step.parallel : [];
    return [...own, ...[step.steps, step.onFailure, step.finally, ...lists].flatMap(callsIn)];
  });
}

function brokenPart(document: Document, faults: Fault[]): { broken?: BrokenWorkflow } {
  const { name, on, enabled = true } = (document.value ?? {}) as Partial<Workflow>;
  const isTouched = faults.some(({ pointer }) => pointer === "" || /^\/(?:name|on|enabled)(?:\/|$)/.test(pointer));
  if (isTouched || typeof name !== "string" || on === undefined || enabled !== true) return {};
  const told = faults.map(({ line, column, code, message }) => `${line}:${column} ${message} (${code})`);
  return { broken: { name, file: document.file, on, faults: told } };
}
