// How a plugin stands, and what is said of it.

import { GantryError } from "../errors.ts";
import type { HostLog } from "../log.ts";

export interface PluginState {
  name: string;
  version: string;
  state: "active" | "unavailable" | "failed" | "stopped";
  /** Why it is not active. */
  reason?: string;
  remedy?: string;
  code?: string;
  /** Where it has a process of its own. */
  pid?: number;
  residentBytes?: number;
  /** How often it was started again because its process had failed. */
  restarts?: number;
  /** Why its process failed last; `at` is ISO 8601. */
  lastError?: { code: string; message: string; at: string };
}

export type Standing = Pick<PluginState, "state" | "reason" | "remedy" | "code">;

/** What keeps a plugin from being started: its own documents, or one that it requires. */
export function blockedBy(refusal: string | undefined, required: readonly PluginState[]): Standing | undefined {
  if (refusal !== undefined) {
    const { code, message, remedy } = new GantryError("PLUGIN_REFUSED", refusal);
    return { state: "failed", code, reason: message, remedy };
  }
  const missing = required.find(({ state }) => state === "failed") ?? required.find(({ state }) => state !== "active");
  if (missing === undefined) return undefined;
  const { name, state, reason, remedy } = missing;
  return {
    state: state === "failed" ? "failed" : "unavailable",
    code: state === "failed" ? "PLUGIN_START_FAILED" : "PLUGIN_UNAVAILABLE",
    reason: `it requires plugin ${name}, which is ${state}${reason === undefined ? "" : `: ${reason}`}`,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** `retries`: how many further attempts there have been or are to be. */
export function reportState(log: HostLog, { name, state, reason, ...fields }: PluginState, retries: number): void {
  const facts: Record<string, unknown> = { plugin: name, ...fields };
  delete facts.residentBytes;
  if (state === "active") log[retries > 0 ? "info" : "debug"](`plugin ${name} is active`, facts);
  else if (state === "failed") log.error(`plugin ${name} failed: ${reason}`, facts);
  // A plugin stays unavailable for hours, so only its first attempt is worth a warning.
  else log[retries > 1 ? "debug" : "warn"](`plugin ${name} is unavailable: ${reason}`, facts);
}
