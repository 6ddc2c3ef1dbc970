// One workflow document: read, checked, and made ready for the engine.

import { createHash } from "node:crypto";
import type { Workflow } from "../../schemas/workflow.types.ts";
import type { VerbCatalogue } from "../documents/catalogue.ts";
import { circleFrom } from "../documents/check-called.ts";
import { checkWorkflow } from "../documents/check-workflow.ts";
import { type Document, type DocumentReading, readDocument } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import type { BrokenWorkflow, LoadedWorkflow } from "../engine/workflow.ts";
import { callsOf, inCircle, namesCalled, workflowsAround } from "./called-workflows.ts";

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

/**
 * Reads and checks one workflow document, and those it calls. They are looked for in the configured folders first, and
 * then beside it.
 */
export function loadWorkflow(file: string, catalogue: VerbCatalogue, options: LoadOptions): WorkflowReading {
  const read = readDocument(file);
  const workflows = workflowsAround(read.document, catalogue.workflows);
  const known = { ...catalogue, workflows };
  const reading = checkReading(read, known, options);
  const { workflow, document } = reading;
  const own = (document?.value as { name?: unknown } | null | undefined)?.name;
  if (document === undefined || typeof own !== "string") return reading;
  const circle = workflow === undefined ? undefined : circleFrom(own, workflows);
  if (circle !== undefined)
    return { ...reading, workflow: undefined, faults: [...reading.faults, inCircle(document, circle)] };
  const callable = new Map(options.callable);
  let { faults } = reading;
  for (const name of namesCalled(own, workflows)) {
    const { file: place } = workflows.get(name)!;
    if (callable.has(name) || name === own) continue;
    const called = checkReading(readDocument(place), known, { named: false });
    faults = [...faults, ...called.faults];
    if (called.workflow !== undefined) callable.set(name, called.workflow);
  }
  if (workflow === undefined || faults.some(({ severity }) => severity === "fault"))
    return { ...reading, workflow: undefined, faults };
  return { ...reading, faults, workflow: { ...workflow, calls: callsOf(workflow, callable) } };
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

function brokenPart(document: Document, faults: Fault[]): { broken?: BrokenWorkflow } {
  const { name, on, enabled = true } = (document.value ?? {}) as Partial<Workflow>;
  const isTouched = faults.some(({ pointer }) => pointer === "" || /^\/(?:name|on|enabled)(?:\/|$)/.test(pointer));
  if (isTouched || typeof name !== "string" || on === undefined || enabled !== true) return {};
  const told = faults.map(({ line, column, code, message }) => `${line}:${column} ${message} (${code})`);
  return { broken: { name, file: document.file, on, faults: told } };
}
