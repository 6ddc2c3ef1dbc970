// A folder's entries one after the other: of one with a million only those are kept that are wanted.

import type { Dirent } from "node:fs";
import { opendir } from "node:fs/promises";
import type { Log } from "gantry";
import { tooMany } from "./failures.ts";

export interface Limits {
  signal: AbortSignal;
  log: Log;
  /** So many paths at most may be kept. */
  maxFiles: number;
}

/** What cannot be read is passed over, as in the original; of one that is there the log tells. */
export async function* readFolder(path: string, { signal, log }: Limits): AsyncGenerator<Dirent> {
  signal.throwIfAborted();
  try {
    for await (const entry of await opendir(path, { bufferSize: entriesAtOnce })) {
      signal.throwIfAborted();
      yield entry;
    }
  } catch (error) {
    const { code = "", syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined && code !== "ERR_INVALID_ARG_VALUE") throw error;
    if (!absent.includes(code)) log.warn("left out of an upload: a folder that cannot be read", { path, err: error });
  }
}

/** Throws FILE_UPLOAD_TOO_MANY. */
export function withinLimit(count: number, { maxFiles }: Limits): void {
  if (count > maxFiles) throw tooMany(maxFiles);
}

const entriesAtOnce = 256;
/** Nothing that anybody could mend. */
const absent = ["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "ERR_INVALID_ARG_VALUE"];
