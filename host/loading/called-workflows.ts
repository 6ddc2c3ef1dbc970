// Which workflow calls which: what is known of all documents before each of them is checked, and what a sound one gets.

import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import type { CallableWorkflow } from "../documents/catalogue.ts";
import { calledName } from "../documents/check-called.ts";
import { type Document, faultAt, readDocument } from "../documents/document.ts";
import { shapeOfValue } from "../documents/expression-kinds.ts";
import type { Fault } from "../documents/fault.ts";
import { closed } from "../documents/shapes.ts";
import { visibleOf } from "../documents/visible.ts";
import type { LoadedWorkflow } from "../engine/workflow.ts";
import { isObject } from "../is-object.ts";
import type { Json, JsonObject } from "../sdk.ts";

type Workflows = ReadonlyMap<string, CallableWorkflow>;

/**
 * What may be called, by name, also where it has faults of its own; of two with one name the first counts. Of an
 * `unreadable` file nothing is known but what it is probably called: that it cannot be read is told where it is, and not
 * where it is called.
 */
export function callableByName(
  documents: Iterable<Document | undefined>,
  unreadable: Iterable<string> = [],
): Map<string, CallableWorkflow> {
  const callable = new Map<string, CallableWorkflow>();
  for (const document of documents) {
    const name = (document?.value as JsonObject | null | undefined)?.name;
    if (document !== undefined && typeof name === "string" && !callable.has(name))
      callable.set(name, callableOf(document));
  }
  for (const file of unreadable)
    for (const name of likelyNames(file)) if (!callable.has(name)) callable.set(name, { ...unknown, file });
  return callable;
}

const unknown = {
  hasTriggers: false,
  inputs: undefined,
  outputs: undefined,
  calls: [],
  signals: { sent: [], awaited: [] },
};

/** The name that stands in the text, however broken, and that of the file. */
function likelyNames(file: string): string[] {
  let written: string | undefined;
  try {
    written = /"name"\s*:\s*"([\w-]+)"/.exec(readFileSync(file, "utf8"))?.[1];
  } catch {
    // What cannot be opened has a name all the same.
  }
  return [...(written === undefined ? [] : [written]), basename(file, ".json")];
}

/** For a document that is read alone: the known workflows, itself, and where it calls others also those beside it. */
export function workflowsAround(document: Document | undefined, known: Workflows = new Map()): Workflows {
  if (document === undefined) return known;
  const own = callableByName([document]);
  const isLacking = [...own.values()].some(({ calls }) => calls.some((name) => !known.has(name)));
  const beside = isLacking ? callableBeside(document.file) : [];
  return new Map([...beside, ...known, ...own]);
}

function callableBeside(file: string): Map<string, CallableWorkflow> {
  const folder = dirname(file);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(folder, name));
  const readings = files.map((beside) => ({ beside, ...readDocument(beside) }));
  const unreadable = readings.filter(({ document }) => document === undefined).map(({ beside }) => beside);
  return callableByName(
    readings.map(({ document }) => document),
    unreadable,
  );
}

function callableOf({ file, value }: Document): CallableWorkflow {
  const { on, inputs, outputs, steps, onFailure, finally: always, abortOn } = (value ?? {}) as unknown as Workflow;
  const found: Mentioned = { calls: new Set(), sent: new Set(), awaited: new Set() };
  if (typeof abortOn === "string") found.awaited.add(abortOn);
  for (const list of [steps, onFailure, always]) collect(list, found);
  return {
    file,
    hasTriggers: Array.isArray(on) ? on.length > 0 : on !== undefined,
    inputs: isObject(inputs) ? inputs : undefined,
    outputs: outputs === undefined ? closed({}) : shapeOfValue(outputs as Json, visibleOf([])),
    calls: [...found.calls],
    signals: { sent: [...found.sent], awaited: [...found.awaited] },
  };
}

interface Mentioned {
  calls: Set<string>;
  sent: Set<string>;
  awaited: Set<string>;
}

// Documents of any shape come here, also those whose faults are told elsewhere.
function collect(list: unknown, found: Mentioned): void {
  if (!Array.isArray(list)) return;
  for (const step of list as (WorkflowStep | null)[]) {
    if (!isObject(step)) continue;
    const { uses, with: input, abortOn, undo, onProgress, parallel } = step as WorkflowStep;
    if (typeof uses === "string") {
      const name = calledName(uses);
      if (name !== undefined) found.calls.add(name);
      const signal = uses === "host/signal" ? input?.name : uses === "host/wait" ? input?.for : undefined;
      if (typeof signal === "string") (uses === "host/wait" ? found.awaited : found.sent).add(signal);
    }
    if (typeof abortOn === "string") found.awaited.add(abortOn);
    const { steps, onFailure, finally: always } = step as WorkflowStep;
    for (const inner of [steps, onFailure, always, [undo, onProgress]]) collect(inner, found);
    if (Array.isArray(parallel)) for (const inner of parallel) collect(inner, found);
  }
}

/** The names of all it calls, directly or through others, as far as they are known. */
export function namesCalled(name: string, workflows: Workflows): Set<string> {
  const names = new Set<string>();
  const add = (caller: string) => {
    for (const called of workflows.get(caller)?.calls ?? []) {
      if (names.has(called) || !workflows.has(called)) continue;
      names.add(called);
      add(called);
    }
  };
  add(name);
  return names;
}

/** All workflows it calls, directly or not, as far as they are there. */
export function callsOf(
  { document }: LoadedWorkflow,
  callable: ReadonlyMap<string, LoadedWorkflow>,
): Map<string, LoadedWorkflow> {
  const calls = new Map<string, LoadedWorkflow>();
  const add = (name: string) => {
    const called = callable.get(name);
    if (called === undefined || calls.has(name)) return;
    calls.set(name, called);
    for (const inner of callsIn(called.document)) add(inner);
  };
  for (const name of callsIn(document)) add(name);
  return calls;
}

/** The names a document calls itself. */
export function callsIn({ steps, onFailure, finally: always }: Workflow): string[] {
  const found: Mentioned = { calls: new Set(), sent: new Set(), awaited: new Set() };
  for (const list of [steps, onFailure, always]) collect(list, found);
  return [...found.calls];
}

export function inCircle(document: Document, circle: string[]): Fault {
  const message = `it calls itself: ${circle.join(" → ")}`;
  return faultAt(document, "/name", { code: "WORKFLOW_CIRCLE", message });
}
