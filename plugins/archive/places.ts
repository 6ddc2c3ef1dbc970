// Where folders and files are in the end, and whether the operator allows that.

import { PluginError } from "gantry";
import { isWithin, realpathOfExisting } from "gantry/toolkit/folders";
import { writeFailure } from "./failures.ts";

/**
 * The path with links resolved as far as it exists. Throws ARCHIVE_DIRECTORY_NOT_ALLOWED where it is neither below an
 * allowed folder nor in the run's own, and ARCHIVE_WRITE_FAILED where it cannot be looked at.
 */
export async function findPlace(path: string, allowed: string[] | undefined, runDirectory: string): Promise<string> {
  const place = await realpathOf(path);
  if (allowed === undefined) return place;
  for (const folder of [...allowed, runDirectory]) {
    if (isWithin(place, await realpathOf(folder))) return place;
  }
  throw new PluginError("ARCHIVE_DIRECTORY_NOT_ALLOWED", `${place} is not below an allowed folder`);
}

async function realpathOf(path: string): Promise<string> {
  try {
    return await realpathOfExisting(path);
  } catch (error) {
    throw writeFailure(error);
  }
}
