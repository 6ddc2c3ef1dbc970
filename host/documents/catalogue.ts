import type { JsonObject } from "../sdk.ts";

/**
 * What documents may refer to, known from manifests and schemas alone; no plugin code is needed.
 * `active` is false for what belongs to a plugin that is installed but not enabled.
 */
export interface VerbCatalogue {
  /** By address, `plugin/step`. */
  readonly steps: ReadonlyMap<string, StepEntry>;
  /** By address, `plugin/trigger`. */
  readonly triggers: ReadonlyMap<string, TriggerEntry>;
  /** Configuration of the active plugins, with defaults and without secrets, by plugin name: `config` in expressions. */
  readonly config: JsonObject;
  /** What the configuration of each of these plugins may hold, as JSON Schemas, as far as their manifests say so. */
  readonly configSchemas: ReadonlyMap<string, JsonObject>;
  /** Workflows that others may call (`workflow:<name>`), by name; undefined where nobody has looked for any. */
  readonly workflows?: ReadonlyMap<string, CallableWorkflow>;
}

export interface CallableWorkflow {
  file: string;
  /** Whether it is started by triggers; then it cannot be called. */
  hasTriggers: boolean;
  inputs: JsonObject | undefined;
  /** What is known of its outputs: a JSON Schema. */
  outputs: JsonObject | undefined;
  /** The names of the workflows it calls itself. */
  calls: readonly string[];
  /** The names of signals, as they are written: plain or with expressions. */
  signals: { sent: readonly string[]; awaited: readonly string[] };
}

export interface StepEntry {
  plugin: string;
  active: boolean;
  /** Whether it is one of Gantry's own, whose schemas need not be watched. */
  trusted: boolean;
  description: string;
  input: JsonObject;
  output: JsonObject | undefined;
}

export interface TriggerEntry {
  plugin: string;
  active: boolean;
  /** Whether it is one of Gantry's own, whose schemas need not be watched. */
  trusted: boolean;
  description: string;
  with: JsonObject | undefined;
  input: JsonObject | undefined;
  event: JsonObject | undefined;
  /** Of a command: the settings that say which one it is. */
  command: readonly string[] | undefined;
}
