// gantry plugin list: the plugins of the running host and what became of them; without a host, what the documents say.

import { connectControl } from "../control/client.ts";
import type { PluginState } from "../loading/plugin-state.ts";
import { readHost } from "../loading/read-host.ts";
import { table } from "../terminal/table.ts";

export interface PluginListOptions {
  config: string;
  data: string;
  json: boolean;
}

type Listed = Omit<PluginState, "state"> & { state: PluginState["state"] | "not started" | "refused" };

/** Gives 1 where a plugin does not work, or the documents do not allow to start it. */
export async function pluginList({ config, data, json }: PluginListOptions): Promise<number> {
  const plugins = (await statesOfHost(data)) ?? statesOfDocuments(config);
  if (json) for (const plugin of plugins) process.stdout.write(`${JSON.stringify(plugin)}\n`);
  else process.stdout.write(table(["plugin", "version", "state", "memory", "why"], plugins.map(cells)));
  return plugins.some(({ state }) => state === "failed" || state === "unavailable" || state === "refused") ? 1 : 0;
}

async function statesOfHost(data: string): Promise<Listed[] | undefined> {
  using client = await connectControl(data);
  return await client?.call<Listed[]>("plugins.list");
}

function statesOfDocuments(config: string): Listed[] {
  return readHost(config).plugins.map(({ name, manifest, refusal }) => ({
    name,
    version: manifest.version,
    ...(refusal === undefined
      ? { state: "not started" }
      : { state: "refused", reason: refusal, code: "PLUGIN_REFUSED", remedy: "gantry validate shows each fault" }),
  }));
}

/** The memory is that of its own process, if it has one. */
function cells(plugin: Listed): string[] {
  const { name, version, state, reason, code, remedy, lastError, residentBytes, restarts = 0 } = plugin;
  const why = [
    reason === undefined ? "" : `${reason}${code === undefined ? "" : ` (${code})`}`,
    remedy ?? "",
    restarts === 0
      ? ""
      : `started again ${restarts} times; last: ${lastError?.message ?? ""} (${lastError?.code ?? ""})`,
  ];
  const memory = residentBytes === undefined ? "" : `${Math.round(residentBytes / 1_048_576)} MB`;
  return [name, version, state, memory, why.filter((part) => part !== "").join("; ")];
}
