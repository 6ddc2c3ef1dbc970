// Where a path really is: links on the way are resolved, one at its end is not, as it is itself what is written over,
// moved or removed.

import type { Stats } from "node:fs";
import { lstat, mkdir, open, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { PluginError } from "gantry";
import { isMissing } from "./failures.ts";

export interface Allowance {
  /** The operator's folders; undefined: anywhere. */
  allowed: string[] | undefined;
  /** Always allowed. */
  runDirectory: string;
}

/** Throws FILES_NOT_ALLOWED. */
export async function findPlace(path: string, allowance: Allowance): Promise<string> {
  const whole = resolve(path);
  if (whole === sep) throw notAllowed(whole, "is the root of all files");
  const place = join(await realpathOfExisting(dirname(whole)), basename(whole));
  for (const folder of await foldersOf(allowance)) {
    // The folders themselves are the operator's, or the host's.
    if (place.startsWith(folder)) return place;
  }
  throw notAllowed(place, "is not below an allowed folder");
}

/** A folder, with all links resolved; may be an allowed one itself. Throws FILES_NOT_ALLOWED. */
export async function findFolder(path: string, allowance: Allowance): Promise<string> {
  const place = await realpathOfExisting(path);
  for (const folder of await foldersOf(allowance)) if (withSlash(place).startsWith(folder)) return place;
  throw notAllowed(place, "is not below an allowed folder");
}

/** Refuses to take away what holds an allowed folder, or the run's own. Throws FILES_NOT_ALLOWED. */
export async function checkRemovable(place: string, { allowed = [], runDirectory }: Allowance): Promise<void> {
  for (const folder of [...allowed, runDirectory]) {
    if (withSlash(await realpathOfExisting(folder)).startsWith(withSlash(place)))
      throw notAllowed(place, `holds ${folder}, which must not go`);
  }
}

/** What is there, links not followed; undefined where nothing is. */
export async function look(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

// Not mkdir's own `recursive`: that never ends where the system has no folder to make, as below /proc.
export async function makeFolder(path: string): Promise<void> {
  const make = () =>
    mkdir(path, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
    });
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await make();
  }
}

/** Resolves once the names in the folder are on disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** With a slash at the end. */
async function foldersOf({ allowed = [sep], runDirectory }: Allowance): Promise<string[]> {
  return await Promise.all(
    [...allowed, runDirectory].map(async (folder) => withSlash(await realpathOfExisting(folder))),
  );
}

async function realpathOfExisting(path: string): Promise<string> {
  const rest: string[] = [];
  const parts = resolve(path).split(sep);
  for (; parts.length > 1; rest.unshift(parts.pop()!)) {
    try {
      return join(await realpath(parts.join(sep) || sep), ...rest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return join(sep, ...rest);
}

const withSlash = (path: string) => (path.endsWith(sep) ? path : path + sep);

const notAllowed = (path: string, why: string) => new PluginError("FILES_NOT_ALLOWED", `${path} ${why}`);
