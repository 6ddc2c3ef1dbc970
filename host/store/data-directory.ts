// The data folder on the disk: what its files are called and who may read them.

import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { orStoreError } from "./failure.ts";

export const databaseFile = (directory: string) => join(directory, "gantry.db");
export const lockFile = (directory: string) => join(directory, "lock");

/** Makes the folder (0700) and the files (0600) that are missing. */
export function prepareDirectory(directory: string): void {
  orStoreError(`the data folder ${directory} cannot be used`, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // A folder that holds other things too was not meant for the host alone, and stays as its owner wants it.
    if (existsSync(databaseFile(directory)) || readdirSync(directory).length === 0) chmodSync(directory, 0o700);
    for (const file of [lockFile(directory), databaseFile(directory)]) makePrivate(file);
  });
}

/**
 * SQLite gives its -wal and -shm files the mode of the database. An existing file must not be opened here: closing any
 * descriptor of it would drop the POSIX locks that SQLite holds in this process.
 */
function makePrivate(file: string): void {
  if (existsSync(file)) chmodSync(file, 0o600);
  else closeSync(openSync(file, "wx", 0o600));
}
