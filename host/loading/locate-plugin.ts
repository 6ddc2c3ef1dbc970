// Where the plugin behind a name in plugins.json lies.

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Gantry's own plugins. */
export const builtInDirectory = fileURLToPath(new URL("../../plugins/", import.meta.url));

/** The plugin that is part of every host, listed or not. */
export const hostPlugin = {
  name: "host",
  directory: realpathSync(fileURLToPath(new URL("../builtin", import.meta.url))),
};

/** Short names of the built-in plugins, sorted. */
export function builtInNames(directory = builtInDirectory): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => existsSync(join(directory, name, "plugin.json")))
    .sort();
}

/**
 * The folder of a plugin: a path is relative to the configuration's folder, a name is first that of a built-in plugin
 * and then that of a package which can be found from there. `undefined` when there is none; a path is not looked at.
 */
export function locatePlugin(
  plugin: string,
  configurationFile: string,
  builtIn = builtInDirectory,
): string | undefined {
  if (plugin === hostPlugin.name) return hostPlugin.directory;
  if (isPath(plugin)) return resolve(dirname(configurationFile), plugin);
  if (!plugin.startsWith("@") && existsSync(join(builtIn, plugin, "plugin.json"))) return join(builtIn, plugin);
  // Its folder is looked for and not its module, since the `exports` of a package need not name its plugin.json.
  const places = createRequire(configurationFile).resolve.paths(plugin) ?? [];
  return places.map((place) => join(place, plugin)).find((folder) => existsSync(folder));
}

// `@scope/name` is a package, every other name with a slash a path.
function isPath(plugin: string): boolean {
  return plugin.startsWith(".") || isAbsolute(plugin) || (plugin.includes("/") && !plugin.startsWith("@"));
}

/** Whether the file or folder lies in that folder (or is it) once links are resolved; both must exist. */
export function liesWithin(path: string, directory: string): boolean {
  const way = relative(realpathSync(directory), realpathSync(path));
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
