import { PluginError } from "gantry";
import type { RunInput } from "./plugin.types.ts";
import { PriorityRefused } from "./process-group.ts";

/** Why the gate could not be started or opened. */
export function startFailure(error: unknown, { command: [program], user, group }: RunInput): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (error instanceof PriorityRefused)
    return new PluginError("SCRIPT_LIMIT_REFUSED", `${program} cannot have this niceness: ${message}`, {
      cause: error,
    });
  const isOther = user !== undefined || group !== undefined;
  if (isOther && ["EPERM", "EACCES"].includes(code)) {
    const who = user === undefined ? `group ${group}` : `user ${user}`;
    return new PluginError("SCRIPT_USER_DENIED", `${program} cannot be started as ${who}: ${message}`, {
      cause: error,
      details: { reason: code },
    });
  }
  return new PluginError("SCRIPT_START_FAILED", `${program} cannot be started: ${message}`, { cause: error });
}
