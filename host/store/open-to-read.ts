import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

/**
 * A connection that only reads. On a read-only disk SQLite cannot make the files that it keeps beside a database; where
 * none was left, the file is read as one that nobody changes, which nobody can.
 */
export function openToRead(file: string): DatabaseSync {
  const options = { readOnly: true, timeout: 2_000 };
  if (existsSync(`${file}-wal`) || !isReadOnlyDisk(dirname(file))) return new DatabaseSync(file, options);
  const url = pathToFileURL(file);
  url.searchParams.set("immutable", "1");
  return new DatabaseSync(url, options);
}

export function isReadOnlyDisk(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}
