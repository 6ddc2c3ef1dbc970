// Where the files lie that a host in development follows.

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { builtInDirectory, hostPlugin, liesWithin, locatePlugin } from "../loading/locate-plugin.ts";
import type { HostDocuments } from "../loading/read-host.ts";

export interface Places {
  /** Those of the plugins from outside, also of broken ones, and of the workflows. */
  folders: string[];
  files: string[];
}

export function placesOf({ file, configuration }: HostDocuments): Places {
  const entries = (configuration?.plugins ?? []).filter(({ enabled }) => enabled !== false);
  const plugins = entries.flatMap(({ plugin }) => locatePlugin(plugin, file) ?? []);
  const workflows = (configuration?.workflows ?? []).map((folder) => resolve(dirname(file), folder));
  const isOutside = (folder: string) =>
    ![builtInDirectory, hostPlugin.directory].some((own) => existsSync(own) && liesWithin(folder, own));
  const folders = [...plugins.filter(existsSync).filter(isOutside), ...workflows.filter(existsSync)];
  return { folders: [...new Set(folders)], files: [file] };
}
