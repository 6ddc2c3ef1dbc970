// The contract between Gantry and its plugins: everything a plugin may import, under the name `gantry`.
// What passes between plugin and host is JSON (and bytes), so that the same plugin runs in the host's
// process or in a child process without a change.

/** The version of this contract; a manifest's `host` is a range of it. */
export const PLUGIN_API_VERSION = "1.0.0";

export { formatDuration, parseDuration } from "./duration.ts";
export { PluginError, type PluginErrorOptions, PluginUnavailable } from "./plugin-error.ts";

/** A value that can be written as JSON. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Who this device is on the wire. Only `deviceId` (`namespace:name`) is always there. */
export interface DeviceIdentity {
  deviceId: string;
  tenantId?: string;
  policyId?: string;
}

/** Fields become members of the log line; never pass a secret. */
export interface Log {
  debug(text: string, fields?: Record<string, unknown>): void;
  info(text: string, fields?: Record<string, unknown>): void;
  warn(text: string, fields?: Record<string, unknown>): void;
  error(text: string, fields?: Record<string, unknown>): void;
}

/** What a step says while it works. `percent` is 0 to 100. */
export interface Progress {
  percent?: number;
  message?: string;
  details?: Json;
}

/** Small durable values of one plugin, kept in the host's store. `set` and `delete` resolve once synced. */
export interface KeyValue {
  get(key: string): Promise<Json | undefined>;
  set(key: string, value: Json): Promise<void>;
  delete(key: string): Promise<void>;
}

/** One message waiting to leave. `id` grows within a lane; `at` is in epoch milliseconds. */
export interface OutboxEntry {
  id: number;
  at: number;
  message: Json;
}

/**
 * Durable first-in-first-out queues of one plugin, one per lane name.
 * The plugin drains a lane itself: read, send, remove.
 */
export interface Outbox {
  /**
   * Appends a message; resolves once it is synced. With `key` (an attempt's `idempotencyKey`) a message that was
   * already taken under that key is dropped, also after it has left.
   * Rejects with OUTBOX_FULL when the lane holds its maximum of bytes.
   */
  put(lane: string, message: Json, options?: { key?: string }): Promise<"stored" | "duplicate">;
  /** The oldest entries with an id above `after` (0 = from the start). */
  read(lane: string, after: number, limit: number): Promise<OutboxEntry[]>;
  /** Removes all entries up to and including `id`. */
  remove(lane: string, upToId: number): Promise<void>;
}

/** What a column can hold. Booleans are stored as 1 and 0; a number must be finite, an integer below 2^53. */
export type DatabaseValue = null | boolean | number | string | Uint8Array;

/** One row by the names of its columns. */
export type DatabaseRow = Record<string, null | number | string | Uint8Array>;

/** One statement of SQL; `parameters` take the places of its `?` (or `?1`, `?2`) in order. */
export interface DatabaseStatement {
  sql: string;
  parameters?: DatabaseValue[];
}

/** What a statement has changed: how many rows, and the rowid of the last one inserted. */
export interface DatabaseChange {
  changes: number;
  lastId: number;
}

/**
 * An SQLite database of the plugin's own, in a file of its own, for what is too much for `keyValue`. The host writes it:
 * what is handed over in one turn shares one synced commit, in the order of the calls, and a call that fails takes back
 * only itself. Reads see everything whose promise has resolved. Foreign keys hold.
 *
 * SQL is one statement a call (several in a step of `migrate`) and stays within the file: ATTACH, VACUUM, PRAGMA (but
 * those that describe tables), BEGIN, COMMIT, SAVEPOINT, temporary tables and WITH RECURSIVE reject with DATABASE_DENIED.
 * SQL that SQLite refuses rejects with DATABASE_FAILED; `details.sqlite` is its extended result code, 2067 for a value that must be
 * unique. A full disk is STORE_FULL, a read-only one STORE_READ_ONLY; both may be tried again, and nothing of the call
 * has been kept. A damaged file is replaced by its last good copy when it is opened.
 */
export interface Database {
  /**
   * Brings the tables up to date: `steps[N]` leads from version N to N + 1, each is carried out once in the life of the
   * file, and steps are only ever added. Await it before anything else. Rejects with DATABASE_FAILED where the file has
   * had more steps than there are.
   */
  migrate(steps: string[]): Promise<void>;
  /** Carries out a statement; resolves once it is synced. */
  run(sql: string, parameters?: DatabaseValue[]): Promise<DatabaseChange>;
  /** Carries out all of the statements or none; resolves once they are synced, with what each has changed. */
  transaction(statements: DatabaseStatement[]): Promise<DatabaseChange[]>;
  /** All rows a SELECT gives, 16 MiB at most: ask for more in parts, with LIMIT. It holds up the host while it searches. */
  all(sql: string, parameters?: DatabaseValue[]): Promise<DatabaseRow[]>;
  /** The first row a SELECT gives. */
  get(sql: string, parameters?: DatabaseValue[]): Promise<DatabaseRow | undefined>;
}

/** What `setup` receives, once per start of the host. */
export interface PluginContext<Config = JsonObject, Services = unknown> {
  /** The plugin's configuration, validated and with its schema's defaults; secrets are references, see `secret`. */
  readonly config: Config;
  /** The services this plugin named in `requires`, by name. */
  readonly services: Services;
  readonly log: Log;
  /** The identity of `plugins.json`, if it has one. */
  readonly device: DeviceIdentity | undefined;
  /** A folder of the plugin's own that survives restarts (0700). Absolute. */
  readonly directory: string;
  /** Reads the secret behind the configuration key whose value is `{"$secret": NAME}`. Rejects with SECRET_MISSING. */
  secret(key: string): Promise<string>;
  readonly keyValue: KeyValue;
  readonly outbox: Outbox;
  /** The plugin's database of this name (letters, digits, `-`, `_`), made when it is first used; there may be 32 of them. */
  database(name: string): Database;
}

/** What a step's `run` receives beside its input, once per attempt. */
export interface StepContext<Services = unknown> {
  /** Aborted when the attempt must end: time limit, cancel, stop of the host. Its `reason` is a `PluginError`. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Shows progress; cheap to call often, the host thins it out. */
  progress(progress: Progress): void;
  /** Remembers a value for the next attempt at this step after a crash or a retry; resolves once synced. */
  checkpoint(value: Json): Promise<void>;
  /** The last checkpoint of this step in this run, `undefined` at first. */
  readonly lastCheckpoint: Json | undefined;
  /** The same for every repetition of this step in this run, so that what it sends can be recognised. */
  readonly idempotencyKey: string;
  /** The run's own folder; removed with the run. Absolute. */
  readonly directory: string;
  /** `retryOf` is the run this one repeats (`gantry retry`), else null. */
  readonly run: { readonly id: string; readonly workflow: string; readonly retryOf: string | null };
  readonly services: Services;
  secret(key: string): Promise<string>;
  /** The same as the plugin's own `database`. */
  database(name: string): Database;
  /** HTTP to the hosts of the manifest's `permissions.network`; others reject with PERMISSION_DENIED. */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  /**
   * Call before passing on this many bytes of a transfer: resolves when the run's `limits.bytesPerSecond` allows them,
   * at once where there is no limit. Rejects when the attempt is aborted.
   */
  throttle(bytes: number): Promise<void>;
  /**
   * Journals a process group this step has started, before it does any work: start it behind a gate, await this,
   * then let it go. After a crash the host ends that group before the step runs again.
   */
  processStarted(pid: number): Promise<void>;
}

/**
 * One verb. `run` is at-least-once: a crash between its work and the journal makes the host call it again.
 * Output must match the manifest's `output` schema.
 */
export interface Step<Input = never, Output = unknown, Services = unknown> {
  run(input: Input, context: StepContext<Services>): Promise<Output>;
  /** Says in a sentence what `run` would change, and changes nothing. */
  plan?(input: Input, context: StepContext<Services>): string | Promise<string>;
  /** Returns the outputs when everything is already as `run` would make it, else `undefined`. */
  check?(input: Input, context: StepContext<Services>): Promise<Output | undefined>;
}

/** What a trigger hands over for one run. */
export interface Emission {
  /** Checked against the workflow's `inputs`. */
  input: Json;
  /** What the trigger saw, readable as `event` in expressions. */
  event?: JsonObject;
  /**
   * Identifies one delivery of a message by a sender that repeats what was not acknowledged.
   * A redelivery with the key and fingerprint of an earlier emission gives the run of that one and no second run.
   */
  delivery?: { key: string; fingerprint: string; redelivered: boolean };
  /**
   * Asks to hear how the run went: once it has ended, or once the step of its main list with this id has succeeded (or
   * the run failed before). The trigger's `answer` is called then, with `to` as it was given here.
   */
  answer?: { when: "finished" | { after: string }; to: Json };
}

/** How a run went, or the step that was asked for. */
export interface Outcome {
  runId: string;
  /** `succeeded` also where the step that was asked for has succeeded and the run goes on. */
  status: "succeeded" | "failed" | "cancelled" | "superseded" | "rejected";
  /** The workflow's `outputs`, or those of the step. */
  output: Json;
  /** `answer` is what the failing step's error carried for a trigger whose protocol has answers. */
  error: { code: string; message: string; details?: JsonObject; answer?: { status: number; error?: string } } | null;
}

/**
 * Resolves once the run is durable: only then acknowledge to the sender. Rejects with a coded error when no run
 * comes of it; where the error's `retryable` is true the same emission may be tried again later.
 */
export type Emit = (emission: Emission) => Promise<{ runId: string }>;

export type Stop = () => void | Promise<void>;

export interface Trigger<Options = never> {
  /**
   * Begins to watch; returns its stop. `options` is `on[].with`, evaluated. `index` is its place in the workflow's `on`;
   * workflow and index tell apart what a trigger keeps over restarts. `inputs` is the workflow's schema of its input.
   */
  start(
    options: Options,
    emit: Emit,
    context: { workflow: string; index: number; inputs?: JsonObject; log: Log },
  ): Stop | Promise<Stop>;
  /**
   * Passes on how a run went whose emission asked for it; resolves once the answer is durable on its way. Called again,
   * with the same `key`, where that is not known: after a crash, or when it rejected.
   */
  answer?(to: Json, outcome: Outcome, key: string): Promise<void>;
}

/**
 * Asynchronous methods with JSON arguments and results. A stream is a method whose second argument is a listener:
 * the promise the listener returns acknowledges the item, and the method resolves to its stop.
 */
// biome-ignore lint/suspicious/noExplicitAny: a service's own interface (service.ts) gives the real types
export type Service = Record<string, (...args: any[]) => Promise<unknown> | unknown>;

/** What a plugin contributes. Names must be those of the manifest. */
export interface Contributions {
  // biome-ignore lint/suspicious/noExplicitAny: inputs and outputs are typed where the step is written
  steps?: Record<string, Step<any, any, any>>;
  // biome-ignore lint/suspicious/noExplicitAny: options are typed where the trigger is written
  triggers?: Record<string, Trigger<any>>;
  services?: Record<string, Service>;
  /** Frees what `setup` took; called in reverse order of start. */
  stop?: Stop;
}

export interface Plugin {
  // biome-ignore lint/suspicious/noExplicitAny: configuration and services are typed where the plugin is written
  setup(context: PluginContext<any, any>): Contributions | Promise<Contributions>;
}

/** Marks a module's default export as a plugin. Importing the module must do nothing else. */
export function definePlugin<Config = JsonObject, Services = unknown>(plugin: {
  setup(context: PluginContext<Config, Services>): Contributions | Promise<Contributions>;
}): Plugin {
  return plugin;
}
