// The side of the plugin: makes the contexts of the contract from what the host has lent, and lends the host what the
// plugin contributes.

import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { deepFreeze } from "../loading/deep-freeze.ts";
import { loadPlugin } from "../loading/in-process.ts";
import { permittedFetch } from "../loading/permitted-fetch.ts";
import type { Database, Log, Outbox, PluginContext, Service, Step, StepContext, Trigger } from "../sdk.ts";
import { thinnedProgress, writtenLog } from "./notices.ts";
import { refusalInWords, watchRefusals } from "./refusals.ts";
import { type AnyFunction, byReference } from "./values.ts";

/** What the process must know of a plugin. */
export interface PluginFacts {
  /** Path of the module. */
  main: string;
  manifest: PluginManifest;
}

/** A step's context without what this side has already. */
export type LentStepContext = Omit<StepContext, "services" | "fetch" | "database">;

/** Calls the plugin's `setup`; what it contributes comes back in a form that passes to the host. */
export async function setUpPlugin({ main, manifest }: PluginFacts, lent: PluginContext): Promise<unknown> {
  const context = pluginContext(lent);
  tellRefusals(context.log);
  const plugin = await loadPlugin(main);
  const contributions: unknown = await plugin.setup(context);
  if (!isObject(contributions)) return null;
  const fetch = permittedFetch(manifest.name, manifest.permissions?.network ?? []);
  const stepContext = (given: LentStepContext) => ({
    ...given,
    services: context.services,
    // The same for all steps, so that it is lent once.
    database: context.database,
    fetch,
  });
  const { steps, triggers, services, stop } = contributions;
  return byReference({
    steps: members(steps, (step) => lendStep(step as Step, stepContext)),
    triggers: members(triggers, (trigger) => lendTrigger(trigger as Trigger)),
    services: members(services, (service, name) => lendService(service as Service, manifest.provides?.[name])),
    stop: typeof stop === "function" ? () => contributions.stop!() : stop,
  });
}

let isTelling = false;

/** The log of the first plugin in this process hears of it. */
function tellRefusals(log: Log): void {
  if (isTelling) return;
  isTelling = true;
  watchRefusals((refusal) =>
    log.warn(`not permitted: ${refusalInWords(refusal)}`, { code: "PERMISSION_DENIED", ...refusal }),
  );
}

function pluginContext(lent: PluginContext): PluginContext {
  const services = lent.services as Record<string, object>;
  for (const service of Object.values(services)) Object.freeze(service);
  return Object.freeze({
    ...lent,
    config: deepFreeze(lent.config),
    services: Object.freeze(services),
    log: writtenLog(lent.log),
    device: lent.device,
    outbox: pagedOutbox(lent.outbox),
    database: databases(lent.database as unknown as (name: string) => Promise<Database>),
  });
}

/** The host lends a database after a message there and back; a plugin has it at once. */
function databases(lend: (name: string) => Promise<Database>): PluginContext["database"] {
  const known = new Map<string, Database>();
  return (name) => {
    const asked = known.get(name);
    if (asked !== undefined) return asked;
    const lent = lend(name);
    lent.catch(() => known.delete(name));
    const database: Database = {
      migrate: async (steps) => (await lent).migrate(steps),
      run: async (sql, parameters) => (await lent).run(sql, parameters),
      transaction: async (statements) => (await lent).transaction(statements),
      all: async (sql, parameters) => (await lent).all(sql, parameters),
      get: async (sql, parameters) => (await lent).get(sql, parameters),
    };
    known.set(name, database);
    return database;
  };
}

/** The host gives as many entries at once as fit into a message. */
function pagedOutbox(outbox: Outbox): Outbox {
  return {
    ...outbox,
    async read(lane, after, limit) {
      const entries = await outbox.read(lane, after, limit);
      while (entries.length > 0 && entries.length < limit) {
        const more = await outbox.read(lane, entries.at(-1)!.id, limit - entries.length);
        if (more.length === 0) break;
        entries.push(...more);
      }
      return entries;
    },
  };
}

function lendStep(step: unknown, contextOf: (given: LentStepContext) => StepContext): unknown {
  if (!isObject(step)) return step;
  const lend = (verb: string) => async (input: unknown, given: LentStepContext | undefined) => {
    if (given === undefined) return step[verb]!(input);
    const progress = thinnedProgress(given.progress);
    const context = contextOf({
      ...given,
      ...(given.log === undefined ? {} : { log: writtenLog(given.log) }),
      progress: progress.report,
      lastCheckpoint: given.lastCheckpoint,
    });
    try {
      return await step[verb]!(input, context);
    } finally {
      progress.end();
    }
  };
  return functionsOf(step, ["run", "check", "plan"], lend);
}

function lendTrigger(trigger: unknown): unknown {
  if (!isObject(trigger)) return trigger;
  const start = (options: unknown, emit: unknown, context: { log: Log }) =>
    trigger.start!(options, emit, { ...context, log: writtenLog(context.log) });
  return functionsOf(trigger, ["start", "answer"], (name) =>
    name === "start" ? start : (...args) => trigger[name]!(...args),
  );
}

// A service may be an instance of a class, so its members are looked up and not listed.
function lendService(service: unknown, declared: NonNullable<PluginManifest["provides"]>[string] | undefined): unknown {
  if (!isObject(service)) return service;
  const names = [...Object.keys(declared?.methods ?? {}), ...Object.keys(declared?.streams ?? {})];
  return functionsOf(
    service,
    names,
    (name) =>
      (...args: unknown[]) =>
        service[name]!(...args),
  );
}

function functionsOf(holder: Record<string, AnyFunction>, names: string[], lend: (name: string) => AnyFunction) {
  return Object.fromEntries(
    names.filter((name) => typeof holder[name] === "function").map((name) => [name, lend(name)]),
  );
}

/** What is no object stays as it is, so that the host finds the same mistakes in it. */
function members(given: unknown, lend: (member: unknown, name: string) => unknown): unknown {
  if (!isObject(given)) return given;
  return Object.fromEntries(Object.entries(given).map(([name, member]) => [name, lend(member, name)]));
}

const isObject = (value: unknown): value is Record<string, AnyFunction> => typeof value === "object" && value !== null;
