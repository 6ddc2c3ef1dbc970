// gantry plugin accept: takes a plugin's files as they are now; a running host starts it again with them.

import { resolve } from "node:path";
import { connectControl } from "../control/client.ts";
import { GantryError } from "../errors.ts";
import { PluginLock } from "../loading/plugin-lock.ts";
import type { PluginState } from "../loading/plugin-state.ts";
import { readHost } from "../loading/read-host.ts";
import { nearest } from "../nearest.ts";
import type { PluginListOptions } from "./plugin-list.ts";

/** Throws PLUGIN_UNKNOWN, or PLUGIN_LOCK_BROKEN. */
export async function pluginAccept(name: string, { config, data, json }: PluginListOptions): Promise<number> {
  const { plugins } = readHost(config);
  const plugin = plugins.find((one) => one.name === name && !one.builtIn);
  if (plugin === undefined) {
    const others = plugins.filter(({ builtIn }) => !builtIn).map((one) => one.name);
    const meant = nearest(name, others);
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
    throw new GantryError("PLUGIN_UNKNOWN", `${config} names no plugin from outside that is called ${name}${hint}`);
  }
  const warn = (message: string) => void process.stderr.write(`${message}\n`);
  const pin = await new PluginLock(resolve(config), resolve(data), warn).accept(plugin);
  using client = await connectControl(data);
  const state = await client?.call<PluginState | null>("plugins.restart", { plugin: name });
  if (json) process.stdout.write(`${JSON.stringify({ name, ...pin, state: state?.state ?? null })}\n`);
  else {
    const now = state == null ? "" : `; the host has started it again: ${state.state}`;
    process.stdout.write(`${name} ${pin.version} is accepted as it is now${now}\n`);
  }
  return state != null && state.state !== "active" ? 1 : 0;
}
