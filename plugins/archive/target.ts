// How a finished folder takes the place of another one. Between two renames the place is empty; what was there stands
// beside it then, and is put back where the work has not ended.

import { opendir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PluginError } from "gantry";
import { isThere, syncFolder } from "gantry/toolkit/folders";

export const oldPathOf = (target: string) => join(dirname(target), `.${basename(target)}.gantry-old`);

/** Whether nothing is there, or an empty folder. */
export async function isFree(target: string): Promise<boolean> {
  try {
    await using folder = await opendir(target);
    return (await folder.read()) === null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "ENOTDIR") return false;
    throw error;
  }
}

/** After a crash in the middle: the old content is put back if its place is empty, and removed if it is not. */
export async function restore(target: string): Promise<void> {
  const old = oldPathOf(target);
  if (!(await isThere(old))) return;
  if (await isThere(target)) return await rm(old, { recursive: true, force: true });
  await rename(old, target);
  await syncFolder(dirname(target));
}

/** Throws ARCHIVE_TARGET_EXISTS where something is in the way that is not to be replaced. */
export async function putInPlace(staging: string, target: string, replace: boolean): Promise<void> {
  if (replace && !(await isFree(target))) {
    await rename(target, oldPathOf(target));
    try {
      await rename(staging, target);
      await syncFolder(dirname(target));
    } catch (error) {
      // What cannot be made to last does not take the place of what does.
      await rename(target, staging).catch(() => {});
      await restore(target);
      throw error;
    }
    return await rm(oldPathOf(target), { recursive: true, force: true });
  }
  try {
    // The system itself makes sure that a folder in the way is empty.
    await rename(staging, target);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code!)) throw error;
    throw targetExists(target, error);
  }
  await syncFolder(dirname(target));
}

export const targetExists = (target: string, cause?: unknown) =>
  new PluginError("ARCHIVE_TARGET_EXISTS", `${target} is there already, and not empty`, { cause });
