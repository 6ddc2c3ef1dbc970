// A failure as it crosses from the writing thread.

import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { ErrorCode } from "../errors.ts";

export interface Reason {
  code: Extract<ErrorCode, `STORE_${string}` | `DATABASE_${string}`>;
  message: string;
  /** SQLite's extended result code, where it was SQLite that failed. */
  sqlite?: number;
  /** The write itself is at fault: it will fail again, and others are not touched. */
  ownFault?: true;
}

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
export const sqlite = {
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  AUTH: 23,
  NOTADB: 26,
} as const;

/** The file has been moved away or deleted under the open database; it says nothing about the file system. */
const READONLY_DBMOVED = 1032;

/** What no write is to blame for: the disk, the memory, another connection. */
const faultsOfSurroundings: number[] = [
  sqlite.PERM,
  sqlite.BUSY,
  sqlite.LOCKED,
  sqlite.NOMEM,
  sqlite.READONLY,
  sqlite.IOERR,
  sqlite.CORRUPT,
  sqlite.FULL,
  sqlite.CANTOPEN,
  sqlite.PROTOCOL,
  sqlite.NOTADB,
];

interface Thrown {
  message: string;
  /** SQLite's, from node:sqlite. */
  errcode?: number;
  errstr?: string;
  /** The system's: ENOSPC. */
  code?: string;
  syscall?: string;
}

export const primaryCode = (error: unknown) => {
  const { errcode } = error as Thrown;
  return errcode === undefined ? undefined : errcode & 0xff;
};

/** Whether only the write itself failed, and not the disk or the database under it. */
export function isOwnFault(error: unknown): boolean {
  const primary = primaryCode(error);
  if (primary === undefined) return (error as Thrown).syscall === undefined;
  return !faultsOfSurroundings.includes(primary);
}

/** `folder` is where it was to be written: SQLite does not always say why the system refused. */
export function reasonOf(error: unknown, folder?: string): Reason {
  const { message, errcode, errstr } = error as Thrown;
  const code = codeOf(error as Thrown, folder);
  if (errcode === undefined) return { code, message: message ?? String(error) };
  // SQLite's text of the code says the kind ("disk I/O error") where the message says the place.
  const text = errstr === undefined || message.includes(errstr) ? message : `${message} (${errstr})`;
  return { code, message: text, sqlite: errcode };
}

function codeOf({ errcode, code, syscall }: Thrown, folder: string | undefined): Reason["code"] {
  if (code === "ENOSPC" || code === "EDQUOT") return "STORE_FULL";
  if (code === "EROFS") return "STORE_READ_ONLY";
  if (code === "EACCES" || code === "EPERM") return "STORE_DENIED";
  // Node's recursive mkdir gives ENOENT on a read-only file system.
  if (errcode === undefined && syscall === "mkdir" && folder !== undefined) return stateOf(folder);
  if (errcode === undefined || errcode === READONLY_DBMOVED) return "STORE_FAILED";
  const primary = errcode & 0xff;
  if (primary === sqlite.FULL) return "STORE_FULL";
  if (primary === sqlite.CORRUPT || primary === sqlite.NOTADB) return "STORE_DAMAGED";
  if (primary === sqlite.READONLY) return "STORE_READ_ONLY";
  if ((primary === sqlite.IOERR || primary === sqlite.CANTOPEN) && folder !== undefined) return stateOf(folder);
  return "STORE_FAILED";
}

/** Less than a page of the database and what the file system takes for it. */
const nothingLeftBytes = 64 * 1024;

function stateOf(folder: string): "STORE_FULL" | "STORE_READ_ONLY" | "STORE_DENIED" | "STORE_FAILED" {
  if (!existsSync(folder) && dirname(folder) !== folder) return stateOf(dirname(folder));
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < nothingLeftBytes ? "STORE_FULL" : "STORE_FAILED";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EROFS" ? "STORE_READ_ONLY" : code === "EACCES" ? "STORE_DENIED" : "STORE_FAILED";
  }
}
