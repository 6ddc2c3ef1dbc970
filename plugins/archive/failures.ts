// What archives and the system have to say, in this plugin's codes.

import { PluginError } from "gantry";

/** The archive is cut short, damaged, or contradicts itself. */
export const broken = (why: string, cause?: unknown) =>
  new PluginError("ARCHIVE_BROKEN", `the archive is broken: ${why}`, { cause });

export const unsupported = (why: string) =>
  new PluginError("ARCHIVE_UNSUPPORTED", `the archive cannot be unpacked: ${why}`);

/** A full disk may have room later; missing rights stay missing. */
export function writeFailure(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const options = { cause: error, details: { reason: code } };
  if (["ENOSPC", "EDQUOT"].includes(code)) return new PluginError("ARCHIVE_DISK_FULL", message, options);
  const passing = ["EIO", "EMFILE", "ENFILE", "EAGAIN", "EBUSY"].includes(code);
  return new PluginError("ARCHIVE_WRITE_FAILED", message, { ...options, retryable: passing });
}

export function sourceFailure(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  return new PluginError("ARCHIVE_SOURCE_UNREADABLE", (error as Error).message, { cause: error });
}

/** A name as a message may show it: in quotes, not too long, no control characters. */
export const shown = (name: string) => JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
