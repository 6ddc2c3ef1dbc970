// Installed plugins -> running ones: their steps, triggers and services, and what became of each of them.

import { systemClock } from "../clock.ts";
import type { FindStep, RunnableStep } from "../engine/workflow.ts";
import { GantryError } from "../errors.ts";
import type { Isolation } from "../isolation/isolation.ts";
import type { HostLog } from "../log.ts";
import type { Service, Step } from "../sdk.ts";
import type { ActivateOptions, ActivePlugins, Replacement } from "./active-plugins.ts";
import { type StartPlugin, startInProcess } from "./in-process.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { hostPlugin } from "./locate-plugin.ts";
import type { Patience } from "./open-calls.ts";
import { createPluginContext } from "./plugin-context.ts";
import { PluginLife } from "./plugin-life.ts";
import { PluginLock } from "./plugin-lock.ts";
import type { PluginState } from "./plugin-state.ts";
import { PluginTriggers } from "./plugin-triggers.ts";
import type { HostDocuments } from "./read-host.ts";
import { runnableSteps } from "./runnable-steps.ts";
import { createServiceHandle } from "./service-handle.ts";
import { splitAddress } from "./split-address.ts";
import { StandingCalls } from "./standing.ts";
import { untilAborted } from "./until-aborted.ts";

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
