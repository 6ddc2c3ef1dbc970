// Opens a database file whatever its content: as it is, or else its last good copy, or else anew.

import { constants, copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { checkHeader, DamageFound, isDamage } from "./check.ts";
import type { Recovered } from "./damage.ts";
import { damagedPrefixOf, goodCopyOf, prepareFile } from "./data-directory.ts";
import { soundCopy } from "./good-copy.ts";
import { syncPath } from "./synced-files.ts";

/** Damaged files kept of each database. */
const KEPT = 3;

export interface Opened<Database> {
  database: Database;
  /** The last one who worked with it did not close it. */
  unclean: boolean;
  recovered: Recovered | undefined;
}

/**
 * `open` checks the file too and throws where it is damaged, with everything closed again. Throws only for what is not
 * a matter of the content: a full disk, another user's file. Nobody else may have the file open.
 */
export function openWhatever<Database>(file: string, open: (unclean: boolean) => Database): Opened<Database> {
  const unclean = hasLog(file);
  let found: string;
  try {
    lookAt(file);
    return { database: open(unclean), unclean, recovered: undefined };
  } catch (error) {
    if (!isDamage(error)) throw error;
    found = (error as Error).message;
  }
  const setAside = moveAside(file);
  let copyFrom = soundCopy(file);
  if (copyFrom !== undefined) {
    takeCopy(file);
    try {
      return { database: open(false), unclean, recovered: told(file, found, setAside, copyFrom) };
    } catch (error) {
      if (!isDamage(error)) throw error;
      copyFrom = undefined;
      removeDatabase(file);
    }
  }
  prepareFile(file);
  return { database: open(false), unclean, recovered: told(file, found, setAside, null) };
}

function lookAt(file: string): void {
  checkHeader(file);
  if (statSync(file).size === 0 && existsSync(goodCopyOf(file))) throw new DamageFound("it is missing or empty");
}

function hasLog(file: string): boolean {
  const log = `${file}-wal`;
  return existsSync(log) && statSync(log).size > 0;
}

/** The log goes along: together they may still be of use to somebody who knows SQLite. Null where nothing was left. */
function moveAside(file: string): string | null {
  if (statSync(file).size === 0 && !hasLog(file)) {
    removeDatabase(file);
    return null;
  }
  const target = damagedPrefixOf(file) + new Date().toISOString().replaceAll(":", "-");
  // The database first: what is then left without it is recognised at the next start, should the power go here.
  renameSync(file, target);
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${target}-wal`);
  rmSync(`${file}-shm`, { force: true });
  syncPath(dirname(file));
  forgetOldest(file);
  return target;
}

function forgetOldest(file: string): void {
  const folder = dirname(file);
  const prefix = basename(damagedPrefixOf(file));
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && !name.endsWith("-wal"));
  for (const name of names.sort().slice(0, -KEPT))
    for (const ending of ["", "-wal"]) rmSync(join(folder, name + ending), { force: true });
}

function takeCopy(file: string): void {
  const part = `${file}.part`;
  try {
    rmSync(part, { force: true });
    copyFileSync(goodCopyOf(file), part, constants.COPYFILE_FICLONE);
    syncPath(part);
    renameSync(part, file);
    syncPath(dirname(file));
  } finally {
    rmSync(part, { force: true });
  }
}

function removeDatabase(file: string): void {
  for (const ending of ["", "-wal", "-shm"]) rmSync(file + ending, { force: true });
}

function told(file: string, found: string, setAside: string | null, copyFrom: number | null): Recovered {
  const instead =
    copyFrom === null
      ? "there was no sound copy, so it begins empty"
      : `its copy of ${new Date(copyFrom).toISOString()} was taken; what came later is lost`;
  const message = `${file} was damaged (${found})${setAside === null ? "" : " and set aside"}; ${instead}`;
  return { code: "STORE_DAMAGED", message, what: file, found, setAside, copyFrom };
}
