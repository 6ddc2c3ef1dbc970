// What activating plugins takes, and what it gives.

import type { Clock } from "../clock.ts";
import type { FindStep, RunnableStep } from "../engine/workflow.ts";
import type { IsolationLimits } from "../isolation/limits.ts";
import type { HostLog } from "../log.ts";
import type { Emit, Json, JsonObject, Outcome, Plugin, Service, Stop } from "../sdk.ts";
import type { Store } from "../store/store.ts";
import type { StartPlugin } from "./in-process.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import type { Patience } from "./open-calls.ts";
import type { PluginState } from "./plugin-state.ts";

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
