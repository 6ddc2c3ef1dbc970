// Keeps a data folder to one host. The lock is SQLite's own on a file beside the database, held by an open connection:
// the system drops it with the process, however that ends, and no number of a process can be mistaken for another.

import { DatabaseSync } from "node:sqlite";
import { GantryError } from "../errors.ts";
import { lockFile } from "./data-directory.ts";
import { storeError } from "./failure.ts";
import { reasonOf } from "./reason.ts";

const SQLITE_BUSY = 5;

/** Throws STORE_LOCKED where another host, in this process or another, holds the folder. */
export function lockDirectory(directory: string): { release(): void } {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(lockFile(directory), { timeout: 0 });
    connection.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    connection?.close();
    const reason = reasonOf(error);
    if (reason.sqlite !== undefined && (reason.sqlite & 0xff) === SQLITE_BUSY) {
      throw new GantryError("STORE_LOCKED", `another host works with the data folder ${directory}`, { cause: error });
    }
    throw storeError(`the data folder ${directory} cannot be locked`, reason, error);
  }
  const held = connection;
  return { release: () => held.close() };
}
