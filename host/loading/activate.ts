// Installed plugins -> running ones: their steps, triggers and services, and what became of each of them.

import { type Clock, systemClock } from "../clock.ts";
import type { FindStep, RunnableStep } from "../engine/workflow.ts";
import { GantryError } from "../errors.ts";
import type { Isolation } from "../isolation/isolation.ts";
import type { IsolationLimits } from "../isolation/limits.ts";
import type { HostLog } from "../log.ts";
import type { Emit, Json, JsonObject, Outcome, Plugin, Service, Step, Stop } from "../sdk.ts";
import type { Store } from "../store/store.ts";
import { type StartPlugin, startInProcess } from "./in-process.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { hostPlugin } from "./locate-plugin.ts";
import { createPluginContext } from "./plugin-context.ts";
import { PluginLife, type PluginState } from "./plugin-life.ts";
import { PluginLock } from "./plugin-lock.ts";
import type { HostDocuments } from "./read-host.ts";
import { lazyCheck, runnableSteps } from "./runnable-steps.ts";
import { createServiceHandle } from "./service-handle.ts";
import { StandingCalls } from "./standing.ts";

export interface ActivateOptions {
  store: Store;
  log: HostLog;
  /** Absolute; each plugin has its folder below `plugins/` in it. */
  dataDirectory: string;
  /** For importing a plugin and its `setup` together; default 20,000. */
  setupTimeoutMs?: number;
  /** For the `stop` of each plugin; default 10,000. */
  stopTimeoutMs?: number;
  /** Between attempts at an unavailable plugin, doubled each time; default from 1 s to 60 s. */
  retryDelayMs?: { first: number; longest: number };
  /** How often a plugin's process may fail within that time before the plugin is left off; default 5 in 10 minutes. */
  restarts?: { most: number; withinMs: number };
  /** What a plugin's process may cost the host, where it is not the default. */
  isolation?: Partial<IsolationLimits>;
  /** The carrier of all plugins; default: each where it belongs, see InstalledPlugin. */
  start?: StartPlugin;
  /** For the pauses between attempts; default: the system's. */
  clock?: Clock;
  /** The host's own plugin, bound to its engine; without it, what needs an engine rejects. */
  hostPlugin?: Plugin;
}

/** The functions need no `this`. */
export interface ActivePlugins {
  /**
   * Throws STEP_UNKNOWN when no installed plugin has the step, PLUGIN_UNAVAILABLE when its plugin is not there now,
   * and what its plugin failed with.
   */
  readonly findStep: FindStep;
  readonly services: Readonly<Record<string, Service>>;
  /** Whether the plugin of this trigger is active. */
  hasTrigger(address: string): boolean;
  /**
   * Starts a trigger with evaluated settings; what it emits is held against the manifest's `input`. Rejects with
   * TRIGGER_UNKNOWN, INPUT_INVALID (the settings), PLUGIN_UNAVAILABLE, or what the trigger throws.
   */
  startTrigger(
    address: string,
    settings: Json,
    emit: Emit,
    context: { workflow: string; index: number; inputs?: JsonObject; log: HostLog },
  ): Promise<Stop>;
  /** Calls a trigger's `answer`; rejects with TRIGGER_UNKNOWN, PLUGIN_UNAVAILABLE, or what the trigger throws. */
  answerTrigger(address: string, to: Json, outcome: Outcome, key: string): Promise<void>;
  /** Calls back with the name of each plugin that becomes active after the start; returns the end of that. */
  onAvailable(listener: (plugin: string) => void): () => void;
  /**
   * Starts a plugin again, also one that was left off or waits; resolves with its state then, or with `undefined` where
   * there is no such plugin.
   */
  restart(plugin: string): Promise<PluginState | undefined>;
  /** In order of start. */
  states(): PluginState[];
  /** Stops the plugins in reverse order, each within its time limit; never rejects. Stop the triggers before. */
  stop(): Promise<void>;
}

/**
 * Starts all plugins, each as soon as those it requires are active; resolves when each has been tried once, whatever
 * came of it. Rejects with CONFIGURATION_INVALID when the documents have no usable configuration.
 */
export async function activatePlugins(documents: HostDocuments, options: ActivateOptions): Promise<ActivePlugins> {
  if (documents.configuration === undefined)
    throw new GantryError("CONFIGURATION_INVALID", `${documents.file} is no usable configuration`);
  const active = new PluginSet(documents, options);
  await active.start();
  return active;
}

class PluginSet implements ActivePlugins {
  readonly services: Record<string, Service> = {};
  readonly #lives = new Map<string, PluginLife>();
  readonly #steps = new Map<string, { contributed: Record<string, Step>; runnable: RunnableStep }>();
  readonly #standing = new Map<string, StandingCalls>();
  readonly #listeners = new Set<(plugin: string) => void>();
  readonly #log: HostLog;
  readonly #options: ActivateOptions;
  readonly #documents: HostDocuments;
  readonly #lock: PluginLock;
  #isolation: Promise<Isolation> | undefined;

  constructor(documents: HostDocuments, options: ActivateOptions) {
    const { store, log, dataDirectory, setupTimeoutMs = 20_000, stopTimeoutMs = 10_000 } = options;
    const { retryDelayMs = { first: 1000, longest: 60_000 }, start = this.#start, hostPlugin: own } = options;
    const { restarts = { most: 5, withinMs: 600_000 }, clock = systemClock } = options;
    this.#log = log;
    this.#options = options;
    this.#documents = documents;
    this.#lock = new PluginLock(documents.file, dataDirectory, (message) => log.warn(message));
    for (const plugin of documents.plugins) {
      const required = plugin.requiredPlugins.flatMap((name) => this.#lives.get(name) ?? []);
      const surroundings = { store, log, dataDirectory, device: documents.device };
      const life = new PluginLife(plugin, required, {
        start: own !== undefined && plugin.name === hostPlugin.name ? async (_, context) => own.setup(context) : start,
        context: () => createPluginContext(plugin, { ...surroundings, services: this.#servicesOf(plugin) }),
        log,
        clock,
        setupTimeoutMs,
        stopTimeoutMs,
        retryDelayMs,
        restarts,
        onChange: this.#changed,
      });
      this.#lives.set(plugin.name, life);
      const standing = new StandingCalls();
      this.#standing.set(plugin.name, standing);
      for (const [name, declared] of Object.entries(plugin.manifest.provides ?? {}))
        this.services[name] ??= createServiceHandle(declared, () => life.contributions().services![name]!, standing);
    }
  }

  async start(): Promise<void> {
    // All begin in one go: each waits for the first attempts of the plugins before it that it requires.
    await Promise.all([...this.#lives.values()].map((life) => life.start()));
  }

  findStep: FindStep = (uses) => {
    const [name, step] = splitAddress(uses);
    const life = this.#lives.get(name);
    if (life === undefined || !Object.hasOwn(life.plugin.manifest.steps ?? {}, step))
      throw new GantryError("STEP_UNKNOWN", `no plugin has the step ${uses}`);
    const { steps = {} } = life.contributions();
    const database = (wanted: string) => this.#options.store.database(name, wanted);
    // What a plugin contributes is another object after each start.
    if (this.#steps.get(uses)?.contributed !== steps)
      for (const runnable of runnableSteps(life.plugin, steps, this.#servicesOf(life.plugin), database))
        this.#steps.set(runnable.uses, { contributed: steps, runnable });
    return this.#steps.get(uses)!.runnable;
  };

  hasTrigger = (address: string): boolean => {
    const [name, trigger] = splitAddress(address);
    const life = this.#lives.get(name);
    return life?.isActive === true && Object.hasOwn(life.plugin.manifest.triggers ?? {}, trigger);
  };

  startTrigger: ActivePlugins["startTrigger"] = async (address, settings, emit, { log, ...about }) => {
    const [name, trigger] = splitAddress(address);
    const life = this.#lives.get(name);
    const declared = life?.plugin.manifest.triggers?.[trigger];
    if (life === undefined || declared === undefined)
      throw new GantryError("TRIGGER_UNKNOWN", `no plugin has the trigger ${address}`);
    const accepted = structuredClone(settings);
    const { with: settingsSchema, input: inputSchema } = declared;
    if (settingsSchema !== undefined) check(`the settings of ${address}`, settingsSchema as JsonObject)(accepted);
    const checkInput = inputSchema && check(`what ${address} emits`, inputSchema as JsonObject);
    const emitChecked: Emit = async (emission) => {
      if (checkInput === undefined) return emit(emission);
      const input = structuredClone(emission.input);
      checkInput(input);
      return emit({ ...emission, input });
    };
    const context = { ...about, log: log.child({ plugin: name }) };
    return this.#standing
      .get(name)!
      .begin(() => life.contributions().triggers![trigger]!.start(accepted as never, emitChecked, context));
  };

  answerTrigger = async (address: string, to: Json, outcome: Outcome, key: string): Promise<void> => {
    const [name, trigger] = splitAddress(address);
    const life = this.#lives.get(name);
    if (life === undefined) throw new GantryError("TRIGGER_UNKNOWN", `no plugin has the trigger ${address}`);
    await life.contributions().triggers?.[trigger]?.answer?.(to, outcome, key);
  };

  onAvailable = (listener: (plugin: string) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  states = (): PluginState[] => [...this.#lives.values()].map((life) => life.state);

  stop = async (): Promise<void> => {
    const lives = [...this.#lives.values()].reverse();
    for (const life of lives) life.noMoreAttempts();
    for (const life of lives) await life.stop();
    await (await this.#isolation)?.close();
  };

  restart = async (plugin: string): Promise<PluginState | undefined> => {
    const life = this.#lives.get(plugin);
    await life?.restart();
    return life?.state;
  };

  /** Gantry's own plugins run here, others in processes of their own, if plugins.json says nothing else. */
  #start: StartPlugin = async (plugin, context, events) => {
    const isInProcess = plugin.isolation === undefined ? plugin.builtIn : plugin.isolation === "in-process";
    if (!plugin.builtIn) await this.#lock.check(plugin);
    if (isInProcess) return startInProcess(plugin, context, events);
    // Only a host with such plugins loads it.
    this.#isolation ??= import("../isolation/isolation.ts").then(({ createIsolation }) => {
      const { dataDirectory, log, isolation: limits = {} } = this.#options;
      return createIsolation({ plugins: this.#documents.plugins, dataDirectory, log, limits });
    });
    return (await this.#isolation).start(plugin, context, events);
  };

  #servicesOf(plugin: InstalledPlugin): Readonly<Record<string, Service>> {
    return Object.freeze(Object.fromEntries(plugin.requiredServices.map((name) => [name, this.services[name]!])));
  }

  #changed = (changed: PluginLife): void => {
    for (const life of this.#lives.values()) life.requirementChanged(changed);
    if (changed.isActive) void this.#beginAgain(changed.plugin.name);
    if (changed.isActive) for (const listener of this.#listeners) listener(changed.plugin.name);
  };

  async #beginAgain(plugin: string): Promise<void> {
    await this.#standing.get(plugin)?.beginAgain((error) => {
      this.#log.error(`a trigger or subscription of plugin ${plugin} cannot go on`, { plugin, err: error });
    });
  }
}

// Fills in the schema's defaults, in place.
function check(what: string, schema: JsonObject): (value: Json) => void {
  const problemsOf = lazyCheck(schema, { defaults: true });
  return (value) => {
    const problems = problemsOf(value);
    if (problems.length > 0)
      throw new GantryError("INPUT_INVALID", `${what}: ${problems.join("; ")}`, { details: { problems } });
  };
}

function splitAddress(address: string): [plugin: string, name: string] {
  const slash = address.indexOf("/");
  return [address.slice(0, slash), address.slice(slash + 1)];
}
