import type { PluginState } from "../loading/plugin-state.ts";
import { type Finding, good, missing } from "./finding.ts";

/** What the plugins of the running host say of their real parts: sockets, devices, programs. */
export function checkPlugins(plugins: PluginState[]): Finding[] {
  const idle = plugins.filter(({ state }) => state !== "active");
  if (idle.length === 0) return [good("plugins", `all ${plugins.length} are active`)];
  return idle.map(({ name, state, reason = "", code, remedy }) =>
    missing(
      `plugin ${name}`,
      `${state}${reason === "" ? "" : `: ${reason}`}${code === undefined ? "" : ` (${code})`}`,
      remedy ?? "Look at the log of the host; `gantry validate` shows faults of its documents.",
    ),
  );
}
