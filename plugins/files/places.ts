// Where a path really is: links on the way are resolved, one at its end is not, as it is itself what is written over,
// moved or removed.

import { basename, dirname, join, resolve, sep } from "node:path";
import { PluginError } from "gantry";
import { realpathOfExisting } from "gantry/toolkit/folders";

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

/** With a slash at the end. */
async function foldersOf({ allowed = [sep], runDirectory }: Allowance): Promise<string[]> {
  return await Promise.all(
    [...allowed, runDirectory].map(async (folder) => withSlash(await realpathOfExisting(folder))),
  );
}

const withSlash = (path: string) => (path.endsWith(sep) ? path : path + sep);

const notAllowed = (path: string, why: string) => new PluginError("FILES_NOT_ALLOWED", `${path} ${why}`);
