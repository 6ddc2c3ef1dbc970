// The carrier that runs a plugin inside the host's own process.

import { pathToFileURL } from "node:url";
import { GantryError } from "../errors.ts";
import type { Contributions, Plugin, PluginContext } from "../sdk.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { resolveGantry } from "./resolve-gantry.ts";

/** Brings a plugin to life, wherever it then runs; rejects with what its module or its `setup` threw. */
export type StartPlugin = (plugin: InstalledPlugin, context: PluginContext) => Promise<Contributions>;

export const startInProcess: StartPlugin = async (plugin, context) => {
  resolveGantry();
  const module = (await import(pathToFileURL(plugin.main).href)) as { default?: Partial<Plugin> };
  const exported = module.default;
  if (typeof exported?.setup !== "function")
    throw new GantryError(
      "PLUGIN_CONTRACT_BROKEN",
      `${plugin.main} has no default export made by definePlugin({ setup })`,
    );
  return exported.setup(context);
};
