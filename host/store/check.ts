// Whether a database file is what it should be: its header, its structure, and that it is one of ours.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { primaryCode, sqlite } from "./reason.ts";

export class DamageFound extends Error {}

/** `PRAGMA application_id` of a file of ours whose `user_version` is this: it shows that neither has changed by itself. */
export const applicationId = (version: number) => 0x47740000 + version;

/** Versions of the host's tables that were written without an application id; 0 is an empty file. */
const LAST_UNMARKED_VERSION = 2;

/** Up to this size a file is looked through whole at each start: it takes two milliseconds for a MiB. */
const WHOLE_CHECK_BYTES = 64 * 1024 * 1024;

/** How long a larger one may take, after an end that closed it, and after one that did not. */
const CHECK_MS = { clean: 1_000, unclean: 10_000 };

/**
 * Bytes of the header that never change in our files (https://sqlite.org/fileformat.html). A change there would make
 * SQLite refuse to write, or read other texts than were written. The connection must not be open yet.
 */
const fixedBytes: [offset: number, allowed: number[]][] = [
  [18, [1, 2]],
  [19, [1, 2]],
  [20, [0]],
  [21, [64]],
  [22, [32]],
  [23, [32]],
  [44, [0]],
  [45, [0]],
  [46, [0]],
  // Zero, as the encoding too, as long as all tables are in the log only.
  [47, [0, 4]],
  ...range(52, 56).map((offset): [number, number[]] => [offset, [0]]),
  [56, [0]],
  [57, [0]],
  [58, [0]],
  [59, [0, 1]],
  ...range(64, 68).map((offset): [number, number[]] => [offset, [0]]),
];

/** Throws DamageFound. An empty file is sound: nothing has been written yet. */
export function checkHeader(file: string): void {
  const { size } = statSync(file);
  if (size === 0) return;
  const header = Buffer.alloc(100);
  const descriptor = openSync(file, "r");
  try {
    if (readSync(descriptor, header) < 100) throw new DamageFound(`it has only ${size} bytes`);
  } finally {
    closeSync(descriptor);
  }
  if (header.every((byte) => byte === 0)) throw new DamageFound("it begins with zeros");
  if (header.toString("latin1", 0, 16) !== "SQLite format 3\0") throw new DamageFound("it is not a database");
  const wrong = fixedBytes.find(([offset, allowed]) => !allowed.includes(header[offset]!));
  if (wrong !== undefined) throw new DamageFound(`byte ${wrong[0]} of its header is ${header[wrong[0]]}`);
}

/** Throws DamageFound, or what SQLite throws. `unclean`: the last connection did not close it. */
export function checkDatabase(database: DatabaseSync, file: string, unclean: boolean): void {
  const version = readPragma(database, "user_version");
  const id = readPragma(database, "application_id");
  if (id !== applicationId(version) && !(id === 0 && version <= LAST_UNMARKED_VERSION))
    throw new DamageFound(`its version ${version} and its mark ${id} do not belong together`);
  if (statSync(file).size <= WHOLE_CHECK_BYTES) {
    check(database, "integrity_check(1)");
    return;
  }
  const end = performance.now() + CHECK_MS[unclean ? "unclean" : "clean"];
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  for (const { name } of tables as { name: string }[]) {
    if (performance.now() > end) return;
    check(database, `quick_check(${quoted(name)})`);
  }
}

/** Whether what was thrown while a file was opened says that its content is to blame. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamageFound) return true;
  const { errcode } = error as { errcode?: number };
  const primary = primaryCode(error);
  return (
    primary === sqlite.CORRUPT ||
    primary === sqlite.NOTADB ||
    // Its tables are not those its version says. (A step of migrate that is wrong would look the same: test each one.)
    primary === SQLITE_ERROR ||
    errcode === IOERR_READ ||
    errcode === IOERR_SHORT_READ
  );
}

const SQLITE_ERROR = 1;
const IOERR_READ = 266;
const IOERR_SHORT_READ = 522;

function check(database: DatabaseSync, pragma: string): void {
  const [first] = database.prepare(`PRAGMA ${pragma}`).all() as Record<string, string>[];
  const [answer] = Object.values(first ?? {});
  if (answer !== "ok") throw new DamageFound(answer ?? "its check gave no answer");
}

export function readPragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return (database.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name]!;
}

const quoted = (name: string) => `'${name.replaceAll("'", "''")}'`;

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
