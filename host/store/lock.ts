// Keeps a data folder to one host. The lock is SQLite's own on a file beside the database, held by an open connection:
// the system drops it with the process, however that ends, and no number of a process can be mistaken for another.

import { truncateSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { GantryError } from "../errors.ts";
import { lockFile } from "./data-directory.ts";
import { orStoreError, storeError } from "./failure.ts";
import { primaryCode, reasonOf, sqlite } from "./reason.ts";

/** Throws STORE_LOCKED where another host, in this process or another, holds the folder. */
export function lockDirectory(directory: string): { release(): void } {
  const file = lockFile(directory);
  try {
    return lock(file);
  } catch (error) {
    const primary = primaryCode(error);
    if (primary === sqlite.BUSY)
      throw new GantryError("STORE_LOCKED", `another host works with the data folder ${directory}`, { cause: error });
    const what = `the data folder ${directory} cannot be locked`;
    if (primary !== sqlite.NOTADB && primary !== sqlite.CORRUPT)
      throw storeError(what, reasonOf(error, directory), error);
    // The file is empty in its usual state. Its content is looked at only by who has the lock, so nobody has it.
    return orStoreError(
      what,
      () => {
        truncateSync(file);
        return lock(file);
      },
      directory,
    );
  }
}

function lock(file: string): { release(): void } {
  const connection = new DatabaseSync(file, { timeout: 0 });
  try {
    connection.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    connection.close();
    throw error;
  }
  return { release: () => connection.close() };
}
