// The last good copy of a database, beside it. It is what is left when the file itself is damaged.

import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { checkDatabase, checkHeader, isDamage } from "./check.ts";
import { goodCopyOf } from "./data-directory.ts";
import { syncPath } from "./synced-files.ts";

/** What must stay free beside a copy: it must never be the copy that fills the disk. */
const SPARE_BYTES = 16 * 1024 * 1024;

/**
 * Replaces the copy by the present state; false where the disk has no room for it. What is damaged in the file makes it
 * throw or makes the check of the copy fail: the earlier copy stays then.
 */
export function makeGoodCopy(database: DatabaseSync, file: string): boolean {
  const { size } = statSync(file);
  const { bavail, bsize } = statfsSync(dirname(file));
  if (bavail * bsize < size + SPARE_BYTES) return false;
  const copy = goodCopyOf(file);
  const part = `${copy}.part`;
  try {
    rmSync(part, { force: true });
    closeSync(openSync(part, "wx", 0o600));
    database.prepare("VACUUM INTO ?").run(part);
    readable(part);
    syncPath(part);
    renameSync(part, copy);
    syncPath(dirname(file));
    return true;
  } finally {
    rmSync(part, { force: true });
  }
}

/** Whether the file has been written to since its copy was made, as far as the file system tells; true without one. */
export function isCopyOlder(file: string): boolean {
  const copy = goodCopyOf(file);
  if (!existsSync(file)) return false;
  return !existsSync(copy) || statSync(copy).mtimeMs < statSync(file).mtimeMs;
}

/** When the copy was made, in epoch milliseconds; undefined where there is none, or it is damaged itself. */
export function soundCopy(file: string): number | undefined {
  const copy = goodCopyOf(file);
  if (!existsSync(copy) || statSync(copy).size === 0) return undefined;
  try {
    chmodSync(copy, 0o600);
    readable(copy);
    return Math.round(statSync(copy).mtimeMs);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function readable(copy: string): void {
  checkHeader(copy);
  const database = new DatabaseSync(copy, { readOnly: true });
  try {
    checkDatabase(database, copy, true);
  } finally {
    database.close();
  }
}
