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
import type { Patience } from "./open-calls.ts";
import { createPluginContext } from "./plugin-context.ts";
import { PluginLife, type PluginState } from "./plugin-life.ts";
import { PluginLock } from "./plugin-lock.ts";
import { PluginTriggers } from "./plugin-triggers.ts";
import type { HostDocuments } from "./read-host.ts";
import { runnableSteps } from "./runnable-steps.ts";
import { createServiceHandle } from "./service-handle.ts";
import { splitAddress } from "./split-address.ts";
import { StandingCalls } from "./standing.ts";
import { untilAborted } from "./until-aborted.ts";

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
  /** How long the calls of a plugin that is replaced may go on; default 10 s, and 2 s after they were told to end. */
  patience?: Patience;
  /**
   * For the author of a plugin (`gantry dev`): plugins from outside need no acceptance and none is written down, and the
   * steps of one that failed wait for its next version. Default false.
   */
  development?: boolean;
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
  findStep(uses: string): RunnableStep;
  /** The same; while the step's plugin is being replaced it waits for the new one. */
  readonly stepWhenReady: FindStep;
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
   * Starts a plugin again, also one that was left off or waits, and those with it that share its process. Steps under way
   * may end before, or begin again then; none fails because of it. `undefined` where there is no such plugin.
   */
  restart(plugin: string): Promise<PluginState | undefined>;
  /** The same for another version of a plugin, which contributes to the same plugins and services as the one before. */
  replace(plugin: InstalledPlugin): Promise<Replacement>;
  /**
   * Imports a plugin's module in a process of its own, which ends then. Rejects with what the module throws, or why the
   * process failed.
   */
  tryOut(plugin: InstalledPlugin): Promise<void>;
  /** Lets no further step of a plugin from outside begin, and waits as long as `restart` does for those under way. */
  quieten(): Promise<void>;
  /** In order of start. */
  states(): PluginState[];
  /** Stops the plugins in reverse order, each within its time limit; never rejects. Stop the triggers before. */
  stop(): Promise<void>;
}

export interface Replacement {
  state: PluginState;
  /** How many steps begin again, since they had not ended in time. */
  displaced: number;
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
  readonly #triggers = new PluginTriggers(this.#lives, this.#standing);
  readonly #listeners = new Set<(plugin: string) => void>();
  readonly #log: HostLog;
  readonly #options: ActivateOptions;
  readonly #patience: Patience;
  readonly #lock: PluginLock;
  #lastReplacement: Promise<unknown> = Promise.resolve();
  #isolation: Promise<Isolation> | undefined;

  constructor(documents: HostDocuments, options: ActivateOptions) {
    const { store, log, dataDirectory, setupTimeoutMs = 20_000, stopTimeoutMs = 10_000 } = options;
    const { retryDelayMs = { first: 1000, longest: 60_000 }, start = this.#start, hostPlugin: own } = options;
    const { restarts = { most: 5, withinMs: 600_000 }, clock = systemClock } = options;
    this.#log = log;
    this.#options = options;
    this.#patience = options.patience ?? { drainMs: 10_000, graceMs: 2000 };
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
        holdWhileFailed: options.development === true,
        onChange: this.#changed,
        onClose: ({ plugin: { name } }) => this.#standing.get(name)!.pause(this.#onStandingFault(name, "stop")),
      });
      this.#lives.set(plugin.name, life);
      const standing = new StandingCalls();
      this.#standing.set(plugin.name, standing);
      for (const [name, declared] of Object.entries(plugin.manifest.provides ?? {}))
        this.services[name] ??= createServiceHandle(declared, {
          current: () => life.contributions().services![name]!,
          closed: () => life.closed,
          standing,
        });
    }
  }

  async start(): Promise<void> {
    // All begin in one go: each waits for the first attempts of the plugins before it that it requires.
    await Promise.all([...this.#lives.values()].map((life) => life.start()));
  }

  findStep = (uses: string): RunnableStep => {
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

  stepWhenReady: FindStep = (uses, signal) => {
    const replacing = this.#lives.get(splitAddress(uses)[0])?.replacing;
    if (replacing === undefined) return this.findStep(uses);
    return (async () => {
      await untilAborted(replacing, signal);
      return this.stepWhenReady(uses, signal);
    })();
  };

  hasTrigger: ActivePlugins["hasTrigger"] = (address) => this.#triggers.has(address);
  startTrigger: ActivePlugins["startTrigger"] = (...call) => this.#triggers.start(...call);
  answerTrigger: ActivePlugins["answerTrigger"] = (...call) => this.#triggers.answer(...call);

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
    return life && (await this.#replace(life, life.plugin)).state;
  };

  replace = (plugin: InstalledPlugin): Promise<Replacement> => this.#replace(this.#lives.get(plugin.name)!, plugin);

  /** One after the other: two that share a process must not meet in the middle. */
  #replace(life: PluginLife, next: InstalledPlugin): Promise<Replacement> {
    const replaced = this.#lastReplacement.then(async () => {
      const { isolation } = life.plugin;
      const shares = (other: PluginLife) => isolation !== undefined && other.plugin.isolation === isolation;
      const all = [...this.#lives.values()].filter((other) => other === life || shares(other));
      const displaced = await this.#close(all);
      await Promise.all(all.map((member) => member.comeBack(member === life ? next : undefined)));
      return { state: life.state, displaced };
    });
    this.#lastReplacement = replaced.catch(() => {});
    return replaced;
  }

  quieten = async (): Promise<void> => {
    await this.#close([...this.#lives.values()].filter(({ plugin }) => !plugin.builtIn));
  };

  /** In order of start. Gives how many steps begin again. */
  async #close(lives: readonly PluginLife[]): Promise<number> {
    await Promise.all(lives.map((life) => life.retire(this.#patience)));
    let displaced = 0;
    for (const life of [...lives].reverse()) displaced += await life.close(this.#patience);
    return displaced;
  }

  tryOut = async (plugin: InstalledPlugin): Promise<void> => {
    await (await this.#isolationOf()).tryOut(plugin);
  };

  /** Gantry's own plugins run here, others in processes of their own, if plugins.json says nothing else. */
  #start: StartPlugin = async (plugin, context, events) => {
    const isInProcess = plugin.isolation === undefined ? plugin.builtIn : plugin.isolation === "in-process";
    if (!plugin.builtIn && this.#options.development !== true) await this.#lock.check(plugin);
    if (isInProcess) return startInProcess(plugin, context, events);
    return (await this.#isolationOf()).start(plugin, context, events);
  };

  // Only a host with plugins in processes of their own loads it.
  #isolationOf(): Promise<Isolation> {
    this.#isolation ??= import("../isolation/isolation.ts").then(({ createIsolation }) => {
      const { dataDirectory, log, isolation: limits = {} } = this.#options;
      const plugins = () => [...this.#lives.values()].map(({ plugin }) => plugin);
      return createIsolation({ plugins, dataDirectory, log, limits });
    });
    return this.#isolation;
  }

  #servicesOf(plugin: InstalledPlugin): Readonly<Record<string, Service>> {
    return Object.freeze(Object.fromEntries(plugin.requiredServices.map((name) => [name, this.services[name]!])));
  }

  #changed = (changed: PluginLife): void => {
    for (const life of this.#lives.values()) life.requirementChanged(changed);
    if (changed.isActive) void this.#beginAgain(changed.plugin.name);
    if (changed.isActive) for (const listener of this.#listeners) listener(changed.plugin.name);
  };

  async #beginAgain(plugin: string): Promise<void> {
    await this.#standing.get(plugin)?.beginAgain(this.#onStandingFault(plugin, "go on"));
  }

  #onStandingFault(plugin: string, verb: string): (error: unknown) => void {
    return (error) =>
      this.#log.error(`a trigger or subscription of plugin ${plugin} cannot ${verb}`, { plugin, err: error });
  }
}
