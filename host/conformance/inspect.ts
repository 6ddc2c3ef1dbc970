// What can be said of a plugin's folder without running anything of it.

import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import type { Fault } from "../documents/fault.ts";
import { builtInDirectory, hostPlugin, liesWithin } from "../loading/locate-plugin.ts";
import { readHost } from "../loading/read-host.ts";
import { readManifest } from "../loading/read-manifest.ts";
import { entryOf, HostFolder } from "../testing/host-folder.ts";

export interface TriedPlugin {
  /** Absolute, links resolved. */
  directory: string;
  main: string;
  manifest: PluginManifest;
  builtIn: boolean;
  /** Whether it, or what it requires, requires the plugin mqtt. */
  usesMqtt: boolean;
  /** The other plugins that the host is to have; `plugin` is a name or an absolute folder. */
  others: readonly { plugin: string; name: string }[];
}

/** `plugin` is undefined where the faults leave nothing to try. `given`: names or folders of plugins that it needs. */
export function inspect(
  folder: string,
  given: readonly string[],
): { plugin: TriedPlugin | undefined; faults: Fault[] } {
  const directory = existsSync(folder) ? realpathSync(folder) : resolve(folder);
  const builtIn = existsSync(folder) && (directory === hostPlugin.directory || liesWithin(directory, builtInDirectory));
  // Also the schemas of Gantry's own are looked at here.
  const { manifest, main, faults } = readManifest(directory, false);
  const serious = faults.filter(({ severity }) => severity === "fault");
  if (manifest === undefined || main === undefined || serious.length > 0) return { plugin: undefined, faults: serious };
  const named = given.map((other) => (existsSync(other) ? realpathSync(other) : other));
  using host = new HostFolder({ plugins: [directory, ...named].map(entryOf) }, {});
  const { plugins, faults: around } = readHost(host.config);
  // Whether its configuration is right shows itself with that of the examples.
  const hindering = around.filter(
    ({ severity, file, code }) => severity === "fault" && (file !== host.config || code === "PLUGIN_NOT_FOUND"),
  );
  if (hindering.length > 0) return { plugin: undefined, faults: hindering };
  const others = named.map((plugin) => ({
    plugin,
    name: plugins.find((one) => one.directory === plugin)?.name ?? plugin,
  }));
  const usesMqtt = plugins.some(({ name }) => name === "mqtt");
  return { plugin: { directory, main, manifest, builtIn, usesMqtt, others }, faults: [] };
}
