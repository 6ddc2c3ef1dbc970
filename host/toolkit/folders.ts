// Paths as the system sees them, and folders that are made and synced so that a power cut takes nothing back. Whatever
// goes wrong rejects with the system's own errors.

import type { Stats } from "node:fs";
import { lstat, mkdir, open, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

/** The path with all links resolved, as far as it exists. */
export async function realpathOfExisting(path: string): Promise<string> {
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

/** Whether the path is the folder or below it; both absolute, links resolved. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === sep ? sep : folder + sep);
}

/** What is there, links not followed; undefined where nothing is. */
export async function look(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** Whether there is anything, links not followed. */
export async function isThere(path: string): Promise<boolean> {
  return (await look(path)) !== undefined;
}

/**
 * The folder with those above it, for their owner only where they are made. Not mkdir's own `recursive`: that never ends
 * where the system has no folder to make, as below /proc.
 */
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

/** By folder: the sync under way, and the one after it, which is for all who have come meanwhile. */
const syncing = new Map<string, Promise<void>>();
const next = new Map<string, Promise<void>>();

/** Resolves once the names that are in the folder by now are on disk. */
export function syncFolder(path: string): Promise<void> {
  const before = syncing.get(path);
  if (before === undefined) return beginSync(path);
  let after = next.get(path);
  if (after === undefined) {
    after = before
      .catch(() => {})
      .then(() => {
        next.delete(path);
        return beginSync(path);
      });
    next.set(path, after);
  }
  return after;
}

function beginSync(path: string): Promise<void> {
  const sync = syncNow(path).finally(() => {
    if (syncing.get(path) === sync) syncing.delete(path);
  });
  syncing.set(path, sync);
  return sync;
}

async function syncNow(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
