import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { DeviceIdentity, Json, JsonObject, PluginContext, Service } from "../sdk.ts";
import { isSecretReference, readSecret } from "../secrets.ts";
import type { Store } from "../store/store.ts";
import { deepFreeze } from "./deep-freeze.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";

export interface PluginSurroundings {
  store: Store;
  log: HostLog;
  dataDirectory: string;
  device: DeviceIdentity | undefined;
  services: Readonly<Record<string, Service>>;
}

/** What `setup` of this plugin receives; makes the plugin's folder. */
export function createPluginContext(plugin: InstalledPlugin, surroundings: PluginSurroundings): PluginContext {
  const { store, log, dataDirectory, device, services } = surroundings;
  const directory = pluginFolder(dataDirectory, plugin.name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  return Object.freeze({
    config: deepFreeze(structuredClone(plugin.config)),
    services,
    log: log.child({ plugin: plugin.name }),
    device,
    directory,
    secret: secretsOf(plugin),
    keyValue: store.keyValue(plugin.name),
    outbox: store.outbox(plugin.name),
    database: (name: string) => store.database(plugin.name, name),
  });
}

/** The folder of a plugin's own data. */
export const pluginFolder = (dataDirectory: string, plugin: string) => join(dataDirectory, "plugins", plugin);

/** Gives a plugin the secrets its own configuration refers to, and no others. A key of an inner object is `outer.inner`. */
export function secretsOf(plugin: InstalledPlugin): (key: string) => Promise<string> {
  return async (key) => {
    const value = memberAt(plugin.config, key);
    if (isSecretReference(value)) return readSecret(value.$secret);
    throw new GantryError(
      "SECRET_MISSING",
      `the configuration of plugin ${plugin.name} has no {"$secret": NAME} under ${key}`,
    );
  };
}

function memberAt(config: JsonObject, key: string): Json | undefined {
  if (Object.hasOwn(config, key)) return config[key];
  let value: Json | undefined = config;
  for (const part of key.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as JsonObject)[part];
  }
  return value;
}
