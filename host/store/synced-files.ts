// Files that are there whole or not at all, whenever the power goes.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Writes under a temporary name, syncs, renames; the file has mode 0600. Its folder must be there. */
export function writeFileSynced(file: string, data: string | Uint8Array): void {
  const part = `${file}.part`;
  try {
    writeFileSync(part, data, { mode: 0o600, flush: true });
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  syncPath(dirname(file));
}

/** Syncs a file, or a folder: what was made, renamed or removed in it. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
