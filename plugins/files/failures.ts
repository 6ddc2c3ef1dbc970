// What the system has to say, in this plugin's codes.

import { PluginError } from "gantry";

/** A full disk may have room later; missing rights stay missing. */
export function systemFailure(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const options = { cause: error, details: { reason: code } };
  if (["ENOSPC", "EDQUOT"].includes(code)) return new PluginError("FILES_DISK_FULL", message, options);
  const passing = ["EIO", "EMFILE", "ENFILE", "EAGAIN", "EBUSY"].includes(code);
  return new PluginError("FILES_FAILED", message, { ...options, retryable: passing });
}

/** Does the work; what it throws becomes a coded failure, or the signal's reason where that was given first. */
export async function withCodes<Value>(signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    throw systemFailure(error);
  }
}

export const isMissing = (error: unknown) =>
  ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
