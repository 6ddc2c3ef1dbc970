// The data folder: can the host work in it, is it for the host alone, and is what is in it sound?

import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { catalogue } from "../errors.ts";
import { databaseFile } from "../store/data-directory.ts";
import { isReadOnlyDisk, openToRead } from "../store/open-to-read.ts";
import { reasonOf } from "../store/reason.ts";
import { SCHEMA_VERSION, schemaVersion } from "../store/schema.ts";
import { type Finding, good, missing, warning } from "./finding.ts";

/** The folder itself, or the nearest one above it that exists. */
function existing(folder: string): string {
  let path = resolve(folder);
  while (!existsSync(path)) path = dirname(path);
  return path;
}

export function checkDataFolder(folder: string): Finding[] {
  const basics = [checkWritable(folder), checkSpace(folder)];
  // Who may not look into it learns nothing further.
  if (!canLookInto(folder)) return basics;
  return [...basics, checkPrivate(folder), checkOwner(folder), checkSoundness(folder)];
}

function canLookInto(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

export function checkWritable(folder: string): Finding {
  const about = "data folder";
  const path = existing(folder);
  try {
    if (!statSync(path).isDirectory()) throw new Error("it is no folder");
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return good(about, path === resolve(folder) ? path : `${resolve(folder)} will be made`);
  } catch (error) {
    const message = `${path} cannot be written: ${(error as Error).message}`;
    if (isReadOnlyDisk(path)) return missing(about, message, catalogue.STORE_READ_ONLY.remedy);
    const remedy = `Give it to the user the host runs as (\`chown\`), or name another one with --data.`;
    return missing(about, message, remedy);
  }
}

/** The folder and the host's own files in it; what a plugin keeps is its affair. */
export function checkPrivate(folder: string): Finding {
  const about = "its privacy";
  if (!existsSync(folder)) return good(about, "nothing is there yet");
  for (const path of [resolve(folder), ...hostFiles.map((name) => join(resolve(folder), name))]) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || (found.mode & 0o077) === 0) continue;
    const mode = (found.mode & 0o777).toString(8);
    const wanted = found.isDirectory() ? "700" : "600";
    return warning(about, `others can look into ${path} (mode ${mode})`, `Run \`chmod ${wanted} ${path}\`.`);
  }
  return good(about, "only its owner can look into it");
}

const hostFiles = ["gantry.db", "gantry.db-wal", "gantry.db-shm", "lock", "control.sock", "secrets", "runs", "plugins"];

/** A command that was once run as root leaves files that the host's user cannot use. */
export function checkOwner(folder: string): Finding {
  const about = "its owner";
  if (!existsSync(folder)) return good(about, "nothing is there yet");
  const { uid: owner } = statSync(folder);
  const strangers = readdirSync(folder).filter((name) => statOf(join(folder, name))?.uid !== owner);
  if (strangers.length === 0) return good(about, `user ${owner} has all of it`);
  const remedy = `Give all of it to the user the host runs as: \`chown -R ${owner} ${resolve(folder)}\`.`;
  return missing(about, `the folder is user ${owner}'s, but not ${strangers.join(", ")}`, remedy);
}

// It may be gone by now.
const statOf = (path: string) => statSync(path, { throwIfNoEntry: false });

export function checkSpace(folder: string, neededBytes = 100 * 1024 * 1024): Finding {
  const about = "free space";
  const { bavail, bsize } = statfsSync(existing(folder));
  const free = bavail * bsize;
  const told = `${Math.floor(free / (1024 * 1024))} MiB`;
  if (free >= neededBytes) return good(about, told);
  const remedy = "Free some space, or shorten what is kept of old runs (`retention` in plugins.json).";
  return missing(about, `only ${told} are left where the data folder is`, remedy);
}

const newerRemedy = "Install that version again, or start with another folder (`--data`).";

export function checkSoundness(folder: string): Finding {
  const about = "database";
  const file = databaseFile(folder);
  if (!existsSync(file)) return good(about, "nothing is there yet");
  const remedy = "Start the host: it sets what is damaged aside, takes the last good copy, and says what was lost.";
  try {
    const database = openToRead(file);
    try {
      const version = schemaVersion(database);
      if (version > SCHEMA_VERSION)
        return missing(about, `written by a newer Gantry (tables ${version}, known ${SCHEMA_VERSION})`, newerRemedy);
      const [found] = database.prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[];
      return found?.quick_check === "ok"
        ? good(about, "sound")
        : missing(about, `damaged: ${found?.quick_check}`, remedy);
    } finally {
      database.close();
    }
  } catch (error) {
    const { code, message } = reasonOf(error, dirname(file));
    return missing(about, `cannot be read: ${message}`, code === "STORE_DAMAGED" ? remedy : catalogue[code].remedy);
  }
}
