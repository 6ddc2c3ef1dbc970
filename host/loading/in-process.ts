// The carrier that runs a plugin inside the host's own process.

import { pathToFileURL } from "node:url";
import { GantryError } from "../errors.ts";
import type { Contributions, Plugin, PluginContext } from "../sdk.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { resolveGantry } from "./resolve-gantry.ts";

/** Brings a plugin to life, wherever it then runs; rejects with what its module or its `setup` threw. */
export type StartPlugin = (
  plugin: InstalledPlugin,
  context: PluginContext,
  events: CarrierEvents,
) => Promise<Contributions>;

/** What passes between a plugin's life and its carrier beside the contract. */
export interface CarrierEvents {
  /** Aborted when nobody waits for the plugin's `setup` any more. */
  readonly givenUp: AbortSignal;
  /** Called before `setup` when the plugin has a process of its own. */
  onProcess(process: CarrierProcess): void;
}

export interface CarrierProcess {
  readonly pid: number | undefined;
  /** `undefined` once it has ended. */
  readonly residentBytes: number | undefined;
  /** Resolves once it has ended, with why; `undefined` where it was told to. */
  readonly ended: Promise<GantryError | undefined>;
}

/** What calls under way reject with where their plugin's process was told to end, once it and what it started are gone. */
export class PluginStopped extends GantryError {
  constructor() {
    super("PLUGIN_UNAVAILABLE", "the plugin has been stopped");
  }
}

export const startInProcess: StartPlugin = async (plugin, context) => (await loadPlugin(plugin.main)).setup(context);

/** Imports a plugin's module; rejects with what it throws, or with PLUGIN_CONTRACT_BROKEN. */
export async function loadPlugin(main: string): Promise<Plugin> {
  resolveGantry();
  const module = (await import(pathToFileURL(main).href)) as { default?: Partial<Plugin> };
  const exported = module.default;
  if (typeof exported?.setup !== "function")
    throw new GantryError("PLUGIN_CONTRACT_BROKEN", `${main} has no default export made by definePlugin({ setup })`);
  return exported as Plugin;
}
