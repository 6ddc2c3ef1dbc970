import { placeOf } from "../error-place.ts";
import { GantryError, toFailure } from "../errors.ts";
import { type Contributions, type PluginContext, PluginError } from "../sdk.ts";
import { checkContributions } from "./contributions.ts";
import { withDeadline } from "./deadline.ts";
import type { CarrierEvents, StartPlugin } from "./in-process.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";

export interface SetUpOptions {
  start: StartPlugin;
  context: () => PluginContext;
  timeoutMs: number;
  /** Aborted when nobody waits any more. */
  givenUp: AbortSignal;
  onProcess: CarrierEvents["onProcess"];
}

/**
 * Brings a plugin to life, within its time and as its manifest says. Rejects with what it throws, PLUGIN_START_TIMEOUT or
 * PLUGIN_CONTRACT_BROKEN; what it took is given back then, also later.
 */
export async function setUpPlugin(
  plugin: InstalledPlugin,
  { start, context, timeoutMs, givenUp, onProcess }: SetUpOptions,
): Promise<Contributions> {
  const abandoned = new AbortController();
  const started = (async () => start(plugin, context(), { givenUp: abandoned.signal, onProcess }))();
  const late = () => new GantryError("PLUGIN_START_TIMEOUT", `its setup did not end within ${timeoutMs} ms`);
  try {
    const contributions: unknown = await withDeadline(started, timeoutMs, late, givenUp);
    checkContributions(plugin.manifest, contributions);
    return contributions;
  } catch (error) {
    abandoned.abort(error);
    void started.then((contributions) => contributions?.stop?.()).catch(() => {});
    throw error;
  }
}

// Only a plugin's own word makes it unavailable; all else it throws is a failure with the host's code for it. Recognised
// by its code, as an error may come from another process.
export function startFailure(error: unknown): unknown {
  if (error instanceof GantryError) return error;
  const { code, message } = toFailure(error);
  if (code === "PLUGIN_UNAVAILABLE") return error;
  const kind = code === "STEP_FAILED" ? "" : ` (${code})`;
  const place = error instanceof Error && !(error instanceof PluginError) ? placeOf(error) : undefined;
  const where = place === undefined ? "" : `, at ${place}`;
  return new GantryError("PLUGIN_START_FAILED", `${message}${kind}${where}`, { cause: error });
}
