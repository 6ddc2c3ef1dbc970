// Programs of documents, compiled once for all runs that began with the same texts.

import type { Workflow as WorkflowDocument } from "../../schemas/workflow.types.ts";
import { GantryError } from "../errors.ts";
import { compile, evaluate, type Template } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { Run, RunsReading } from "../store/store.ts";
import { compileProgram, type Program } from "./program.ts";
import type { HostContexts, LoadedWorkflow } from "./workflow.ts";

/** How many are kept; more than a device has documents. */
const maxKept = 200;

export class Programs {
  readonly #runs: Pick<RunsReading, "documentText">;
  readonly #contexts: () => HostContexts;
  readonly #known = new Map<string, RunProgram>();

  constructor(runs: Pick<RunsReading, "documentText">, contexts: () => HostContexts) {
    this.#runs = runs;
    this.#contexts = contexts;
  }

  of(workflow: LoadedWorkflow): RunProgram {
    const calls = [...workflow.calls];
    const key = keyOf(
      workflow.hash,
      calls.map(([name, { hash }]) => [name, hash] as const),
    );
    return this.#find(key, workflow.document, () => new Map(calls.map(([name, { document }]) => [name, document])));
  }

  /** Of what the run began with. Throws WORKFLOW_BROKEN where that cannot be read any more. */
  ofRun(run: Run): RunProgram {
    const calls = Object.entries(run.calls);
    const key = keyOf(run.document, calls);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const called = () => new Map(calls.map(([name, hash]) => [name, this.#read(hash, name)]));
    return this.#find(key, this.#read(run.document, run.workflow), called);
  }

  /** What a run began with, as a workflow that can be run again. */
  storedWorkflow(run: Run): LoadedWorkflow {
    const stored = (name: string, hash: string): LoadedWorkflow => {
      const text = this.#runs.documentText(hash) ?? "";
      return { name, file: "", document: this.#read(hash, name), text, hash, calls: new Map() };
    };
    const calls = new Map(Object.entries(run.calls).map(([name, hash]) => [name, stored(name, hash)]));
    return { ...stored(run.workflow, run.document), calls };
  }

  #find(key: string, document: WorkflowDocument, called: () => Map<string, WorkflowDocument>): RunProgram {
    let found = this.#known.get(key);
    if (found === undefined) {
      found = new RunProgram(document, compileProgram(document, called()), this.#contexts);
      this.#known.set(key, found);
      if (this.#known.size > maxKept) this.#known.delete(this.#known.keys().next().value!);
    }
    return found;
  }

  #read(hash: string, name: string): WorkflowDocument {
    const text = this.#runs.documentText(hash);
    if (text === undefined)
      throw new GantryError("WORKFLOW_BROKEN", `the document ${name} is gone from the data folder`);
    return JSON.parse(text) as WorkflowDocument;
  }
}

/** A program with what the host decides about its runs before they begin. */
export class RunProgram {
  readonly document: WorkflowDocument;
  readonly program: Program;
  readonly whenBusy: "queue" | "reject" | "supersede";
  readonly #contexts: () => HostContexts;
  readonly #group: Template | undefined;

  constructor(document: WorkflowDocument, program: Program, contexts: () => HostContexts) {
    this.document = document;
    this.program = program;
    this.whenBusy = document.concurrency?.whenBusy ?? "queue";
    this.#group = document.concurrency && compile(document.concurrency.group);
    this.#contexts = contexts;
  }

  /** The concurrency group of a run with this input; throws EXPRESSION_FAILED. */
  groupOf(inputs: Json, event: JsonObject): string | null {
    if (this.#group === undefined) return null;
    const group = evaluate(this.#group, this.scope(inputs, event));
    if (typeof group === "string" && group !== "") return group;
    throw new GantryError("EXPRESSION_FAILED", `${this.document.name}: concurrency.group must give a text`);
  }

  /** The signal that aborts a run which has not begun; undefined where there is none, or it is not known yet. */
  abortName({ input, event }: Run): string | undefined {
    const { abortOn } = this.program;
    if (abortOn === undefined) return undefined;
    try {
      const name = evaluate(abortOn, this.scope(input, event));
      return typeof name === "string" ? name : undefined;
    } catch {
      return undefined;
    }
  }

  /** What expressions see before a run has begun. */
  scope(inputs: Json, event: JsonObject): Record<string, Json> {
    return { ...this.#contexts(), inputs, event } as unknown as Record<string, Json>;
  }
}

const keyOf = (hash: string, calls: readonly (readonly [string, string])[]) =>
  [hash, ...calls.map(([name, called]) => `${name}=${called}`).sort()].join(" ");
