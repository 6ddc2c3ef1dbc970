// Which files an upload is of.

import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { Log } from "gantry";
import { type Allowed, checkRequested, realAllowance } from "./allowance.ts";
import { expandGlob, globMatcher } from "./globs.ts";
import { goGlob } from "./go-glob.ts";
import { withinLimit } from "./read-folder.ts";

export interface Wanted extends Allowed {
  /** What the command asks for; empty: what is configured. */
  requested: string;
  exclude: readonly string[];
  /** So many at most. */
  maxFiles: number;
  /** Whether a file to which several paths lead is taken once. */
  distinct: boolean;
}

export interface SelectedFile {
  /** As the pattern spells it. */
  path: string;
  /** Without links. */
  realPath: string;
  sizeBytes: number;
  identity: string;
}

/** Rejects as `checkRequested`, and with FILE_UPLOAD_PATTERN_INVALID and FILE_UPLOAD_TOO_MANY. */
export async function selectFiles(wanted: Wanted, signal: AbortSignal, log: Log): Promise<SelectedFile[]> {
  const { requested, files, include, exclude, mode, maxFiles, distinct } = wanted;
  const limits = { signal, log, maxFiles };
  checkRequested(requested, wanted);
  const [isExcluded, isAllowed] = [globMatcher(exclude), await realAllowance(wanted)];
  const found = new Map<string, SelectedFile>();
  const taken = new Set<string>();
  const take = async (path: string) => {
    signal.throwIfAborted();
    if (found.has(path) || isExcluded(path)) return;
    const file = await look(path, log);
    if (file === undefined) return;
    if (isAllowed(file.realPath)) {
      if (distinct && taken.has(file.realPath))
        return log.warn("left out of an upload: a file that another path has led to", { path, file: file.realPath });
      taken.add(file.realPath);
      found.set(path, file);
      withinLimit(found.size, limits);
    } else log.warn("left out of an upload: a file that a link leads to from what may be uploaded", { path, mode });
  };
  const pattern = requested === "" ? files : requested;
  if (pattern !== "") for (const path of await goGlob(pattern, limits)) await take(path);
  for (const glob of requested === "" ? include : [])
    for (const path of await expandGlob(glob, limits)) await take(path);
  return [...found.values()];
}

async function look(path: string, log: Log): Promise<SelectedFile | undefined> {
  try {
    const [stats, realPath] = await Promise.all([stat(path, { bigint: true }), realpath(path)]);
    if (stats.isFile()) return { path, realPath, sizeBytes: Number(stats.size), identity: identityOf(stats) };
    log.warn(`left out of an upload: ${stats.isDirectory() ? "a directory" : "no regular file"}`, { path });
  } catch (error) {
    log.warn("left out of an upload: a file that cannot be looked at", { path, err: error });
  }
  return undefined;
}

/** Changes with every write to the file, and when another one takes its place. */
export function identityOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}-${ino}-${size}-${mtimeNs}`;
}
