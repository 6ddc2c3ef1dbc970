// Where folders and files are in the end, and whether the operator allows that.

import { lstat, mkdir, open, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { PluginError } from "gantry";
import { writeFailure } from "./failures.ts";

/**
 * The path with links resolved as far as it exists. Throws ARCHIVE_DIRECTORY_NOT_ALLOWED where it is neither below an
 * allowed folder nor in the run's own, and ARCHIVE_WRITE_FAILED where it cannot be looked at.
 */
export async function findPlace(path: string, allowed: string[] | undefined, runDirectory: string): Promise<string> {
  const place = await realpathOfExisting(path);
  if (allowed === undefined) return place;
  for (const folder of [...allowed, runDirectory]) {
    if (isWithin(place, await realpathOfExisting(folder))) return place;
  }
  throw new PluginError("ARCHIVE_DIRECTORY_NOT_ALLOWED", `${place} is not below an allowed folder`);
}

/** Whether the path is the folder or below it; both absolute, links resolved. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === sep ? sep : folder + sep);
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

/** Whether there is anything, links not followed. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code!)) return false;
    throw error;
  }
}

async function realpathOfExisting(path: string): Promise<string> {
  const rest: string[] = [];
  const parts = resolve(path).split(sep);
  for (; parts.length > 1; rest.unshift(parts.pop()!)) {
    try {
      return join(await realpath(parts.join(sep) || sep), ...rest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw writeFailure(error);
    }
  }
  return join(sep, ...rest);
}
