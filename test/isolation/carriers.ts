// Plugins of this folder on a host of their own, in either carrier.

import { cpSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { ActivateOptions } from "../../host/loading/active-plugins.ts";
import { type HostFolder, makeHostFolder } from "../loading/host-folder.ts";
import { activateFolder, type RunningPlugins } from "../loading/running-plugins.ts";

export const carriers = ["in the host's process", "in a process of its own"] as const;
export type Carrier = (typeof carriers)[number];

const ownPlugins = fileURLToPath(new URL("./plugins/", import.meta.url));

/** What an entry of plugins.json says for the carrier. */
export const isolationOf = (carrier: Carrier) => (carrier === carriers[0] ? { isolation: "in-process" } : {});

export interface Entry {
  name: string;
  config?: object;
  isolation?: string;
  memoryLimitMb?: number;
}

/** A folder with copies of plugins of this folder and further files. */
export function makeFolder(
  t: TestContext,
  entries: Entry[],
  files: Record<string, unknown> = {},
  host: object = {},
): HostFolder {
  const plugins = entries.map(({ name, ...entry }) => ({ plugin: `./plugins/${name}`, ...entry }));
  const folder = makeHostFolder(t, { "plugins.json": { ...host, plugins }, ...files });
  for (const { name } of entries)
    if (files[`plugins/${name}/plugin.json`] === undefined)
      cpSync(join(ownPlugins, name), join(folder.path, "plugins", name), { recursive: true });
  return folder;
}

/** Activates it with the carriers that its plugins.json asks for. */
export function activate(
  t: TestContext,
  folder: HostFolder,
  options: Partial<ActivateOptions> = {},
): Promise<RunningPlugins> {
  return activateFolder(t, folder, { start: undefined as never, ...options });
}
