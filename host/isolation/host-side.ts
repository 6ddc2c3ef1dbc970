// The side of the host: what it lends to a plugin in another process, with everything that comes from there checked, and
// how it calls what the plugin has lent.

import { GantryError } from "../errors.ts";
import type {
  Database,
  Emission,
  Emit,
  Json,
  JsonObject,
  KeyValue,
  Log,
  Outbox,
  PluginContext,
  Progress,
  StepContext,
} from "../sdk.ts";
import { isDescendant } from "./marked-processes.ts";
import type { LentStepContext } from "./plugin-side.ts";
import { byReference, oneWay } from "./values.ts";

/** What the host must know of the process to judge what comes from it. */
export interface ProcessFacts {
  pid: number | undefined;
  /** Writes a line to the log unless there are too many. */
  logLine(write: () => void): void;
  /** Reads what may be large once what was read before it is on its way and the process takes it. */
  inTurn<Value>(read: () => Promise<Value>): Promise<Value>;
}

/** The plugin's context in a form that passes to its process. */
export function lendPluginContext(context: PluginContext, facts: ProcessFacts): PluginContext {
  const { config, services, log, device, directory, secret, keyValue, outbox, database } = context;
  return byReference({
    config,
    services,
    log: lendLog(log, facts),
    device,
    directory,
    secret: async (key: unknown) => secret(text("key", key)),
    keyValue: lendKeyValue(keyValue, facts),
    outbox: lendOutbox(outbox, facts),
    database: (name: unknown) => lendDatabase(database(text("name", name)), facts),
  });
}

/** A step's context in a form that passes; the other side adds its services, `database` and `fetch`. */
export function lendStepContext(context: StepContext | undefined, facts: ProcessFacts): LentStepContext | undefined {
  if (context === undefined) return undefined;
  const { log, progress, checkpoint, secret, throttle, processStarted } = context;
  const { signal, lastCheckpoint, idempotencyKey, directory, run } = context;
  return byReference({
    signal,
    lastCheckpoint,
    idempotencyKey,
    directory,
    run,
    log: log && lendLog(log, facts),
    progress: oneWay((report: unknown) => {
      const checked = progressOf(report);
      if (checked !== undefined) progress(checked);
    }),
    checkpoint: async (value: unknown) => checkpoint(json(value)),
    secret: async (key: unknown) => secret(text("key", key)),
    throttle: async (bytes: unknown) => throttle(count("bytes", bytes)),
    processStarted: async (pid: unknown) => {
      // Only what it has started itself may be ended in its name.
      if (!isDescendant(count("pid", pid), facts.pid ?? 0))
        throw new GantryError("PERMISSION_DENIED", `process ${pid} has not been started by the plugin`);
      await processStarted(pid as number);
    },
  });
}

/** A trigger's context, and its `emit`, which gives no form to what is none. */
export function lendTriggerContext(context: { workflow: string; log: Log }, facts: ProcessFacts): object {
  return byReference({ ...context, log: lendLog(context.log, facts) });
}

export function lendEmit(emit: Emit): Emit {
  return async (emission) => emit(emissionOf(emission));
}

function lendLog(log: Log, facts: ProcessFacts): Log {
  const write = (level: keyof Log) =>
    oneWay((message: unknown, fields: unknown) =>
      facts.logLine(() => log[level](String(message), isObject(fields) ? fields : undefined)),
    );
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function lendKeyValue(keyValue: KeyValue, { inTurn }: ProcessFacts): KeyValue {
  return {
    get: async (key) => inTurn(() => keyValue.get(text("key", key))),
    set: async (key, value) => keyValue.set(text("key", key), json(value)),
    delete: async (key) => keyValue.delete(text("key", key)),
  };
}

/** Its own checks hold for what comes from there. */
function lendDatabase(database: Database, { inTurn }: ProcessFacts): Database {
  return byReference({
    ...database,
    all: async (sql, parameters) => inTurn(() => database.all(sql, parameters)),
    get: async (sql, parameters) => inTurn(() => database.get(sql, parameters)),
  });
}

const pageEntries = 1000;
const pageLength = 1 << 20;
/** Read at first, as their lengths are not known; the largest are as long as a message. */
const firstEntries = 4;

function lendOutbox(outbox: Outbox, { inTurn }: ProcessFacts): Outbox {
  return {
    async put(lane, message, options) {
      const key: unknown = isObject(options) ? options.key : undefined;
      return outbox.put(text("lane", lane), json(message), key === undefined ? {} : { key: text("key", key) });
    },
    read: async (lane, after, limit) =>
      inTurn(() => readPage(outbox, text("lane", lane), count("after", after), count("limit", limit))),
    remove: async (lane, upToId) => outbox.remove(text("lane", lane), count("upToId", upToId)),
  };
}

type Entries = Awaited<ReturnType<Outbox["read"]>>;

/** As many as fit into one message, and little more is read for it; the other side asks for the rest. */
async function readPage(outbox: Outbox, lane: string, after: number, limit: number): Promise<Entries> {
  const most = Math.min(limit, pageEntries);
  const page: Entries = [];
  let length = 0;
  for (let wanted = Math.min(most, firstEntries); wanted > 0; ) {
    const entries = await outbox.read(lane, page.at(-1)?.id ?? after, wanted);
    for (const entry of entries) {
      length += JSON.stringify(entry.message).length;
      if (page.length > 0 && length > pageLength) return page;
      page.push(entry);
    }
    if (entries.length < wanted) return page;
    const expected = Math.floor((pageLength - length) / (length / page.length));
    wanted = Math.min(most - page.length, Math.max(1, expected));
  }
  return page;
}

const maxMessageLength = 4096;
const maxDetailsLength = 65_536;

function progressOf(report: unknown): Progress | undefined {
  if (!isObject(report)) return undefined;
  const { percent, message, details } = report;
  return {
    ...(typeof percent === "number" ? { percent } : {}),
    ...(typeof message === "string" ? { message: message.slice(0, maxMessageLength) } : {}),
    ...(details !== undefined && JSON.stringify(details).length <= maxDetailsLength
      ? { details: details as Json }
      : {}),
  };
}

function emissionOf(given: unknown): Emission {
  if (!isObject(given)) throw wrong("an emission", "no object");
  const { input, event, delivery, answer } = given;
  const emission: Emission = { input: json(input) };
  if (isObject(event)) emission.event = event as JsonObject;
  if (isObject(delivery)) {
    const key = text("delivery.key", delivery.key);
    const fingerprint = text("delivery.fingerprint", delivery.fingerprint);
    emission.delivery = { key, fingerprint, redelivered: delivery.redelivered === true };
  }
  if (isObject(answer)) emission.answer = { when: answerTime(answer.when), to: json(answer.to) };
  return emission;
}

function answerTime(when: unknown): "finished" | { after: string } {
  return isObject(when) ? { after: text("answer.when.after", when.after) } : "finished";
}

function text(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw wrong(name, "no text");
}

function count(name: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw wrong(name, "no number from 0 on");
}

// The channel brings JSON and bytes; what was given as `undefined` has no place in the store.
function json(value: unknown): Json {
  if (value === undefined) throw wrong("a value", "undefined");
  return value as Json;
}

const wrong = (name: string, what: string) => new TypeError(`${name} is ${what}`);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
