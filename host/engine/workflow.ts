import type { Workflow as WorkflowDocument } from "../../schemas/workflow.types.ts";
import type { ErrorEntry } from "../errors.ts";
import type { Database, Json, JsonObject, Step } from "../sdk.ts";

/** A workflow the engine can run: a document that has passed every check. */
export interface LoadedWorkflow {
  name: string;
  file: string;
  document: WorkflowDocument;
  /** The document's text as read, and its SHA-256 (hex): what a run keeps. */
  text: string;
  hash: string;
  /** All workflows it calls, directly or not, by name. */
  calls: ReadonlyMap<string, LoadedWorkflow>;
}

/** A document with faults of which as much can be read as is needed to refuse what would have started it. */
export interface BrokenWorkflow {
  name: string;
  file: string;
  on: NonNullable<WorkflowDocument["on"]>;
  /** In words, each with its line and column. */
  faults: string[];
}

/** A step of an active plugin, ready to run. */
export interface RunnableStep {
  uses: string;
  plugin: string;
  // biome-ignore lint/suspicious/noExplicitAny: checked against the manifest's schemas on the way in and out
  implementation: Step<any, any, any>;
  /** Fills in the schema's defaults (in place) and says what does not match, in words; empty when all does. */
  checkInput(input: Json): string[];
  checkOutput(output: Json): string[];
  /** The schema of the output, where it marks something `writeOnly`. */
  secretOutput?: JsonObject;
  /** The plugin's declared errors. */
  errors: Record<string, ErrorEntry>;
  services: unknown;
  secret(key: string): Promise<string>;
  database(name: string): Database;
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
}

/**
 * Finds the step behind `uses`; throws a coded error (STEP_UNKNOWN, PLUGIN_UNAVAILABLE) when it cannot be run now. While
 * its plugin is being replaced it waits for the new one, but no longer than until the signal, with whose reason it rejects.
 */
export type FindStep = (uses: string, signal?: AbortSignal) => RunnableStep | Promise<RunnableStep>;

/**
 * What a step's `run` and `check` reject with where their plugin was replaced before they had ended, and what they did has
 * ended, too: the attempt begins again with the new one.
 */
export class StepDisplaced extends Error {
  constructor(cause?: unknown) {
    super("the plugin was replaced before the step had ended", { cause });
    this.name = "StepDisplaced";
  }
}

/** What expressions see beside the run's own values. */
export interface HostContexts {
  /** Configuration by plugin, with defaults, without secrets. */
  config: JsonObject;
  device: JsonObject | null;
}
