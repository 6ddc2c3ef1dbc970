// The data folder on the disk: what its files are called and who may read them.

import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { orStoreError } from "./failure.ts";

export const databaseFile = (directory: string) => join(directory, "gantry.db");
export const lockFile = (directory: string) => join(directory, "lock");
export const runFolder = (directory: string, runId: string) => join(directory, "runs", runId);
export const secretsFolder = (directory: string) => join(directory, "secrets");
/** Values too large for the database, in a folder for each run. */
export const largeFolder = (directory: string) => join(directory, "large");
/** Not below the plugin's own folder: a plugin must not reach files that are mapped into the host's memory. */
export const pluginDatabaseFile = (directory: string, plugin: string, name: string) =>
  join(directory, "databases", plugin, `${name}.db`);

/** Beside each database: its last good copy, and what was set aside as damaged. */
export const goodCopyOf = (file: string) => `${file}.good`;
export const damagedPrefixOf = (file: string) => `${file}.damaged-`;

/** Makes the folder (0700) and the files (0600) that are missing. */
export function prepareDirectory(directory: string): void {
  orStoreError(
    `the data folder ${directory} cannot be used`,
    () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      // A folder that holds other things too was not meant for the host alone, and stays as its owner wants it.
      if (existsSync(databaseFile(directory)) || readdirSync(directory).length === 0) chmodSync(directory, 0o700);
      for (const file of [lockFile(directory), databaseFile(directory)]) makePrivate(file);
    },
    directory,
  );
}

/** The same for the file of a plugin's database. */
export function prepareFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  makePrivate(file);
}

/**
 * SQLite gives its -wal and -shm files the mode of the database. An existing file must not be opened here: closing any
 * descriptor of it would drop the POSIX locks that SQLite holds in this process.
 */
function makePrivate(file: string): void {
  if (existsSync(file)) chmodSync(file, 0o600);
  else closeSync(openSync(file, "wx", 0o600));
}
