// Walks a folder, and never through a link.

import type { Dirent, Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "./failures.ts";

export interface Found {
  /** Absolute. */
  path: string;
  /** To the folder, with slashes. */
  relative: string;
  stats: Stats;
}

/**
 * All below the folder, each folder before what is in it; what `enter` denies is neither given nor entered, and what
 * goes away meanwhile was never there. Rejects with the system's errors.
 */
export async function* walk(
  root: string,
  signal: AbortSignal,
  enter: (relative: string) => boolean = () => true,
): AsyncGenerator<Found> {
  const waiting: Pick<Found, "path" | "relative">[] = [];
  const add = (folder: string, relative: string, entries: Dirent[]) => {
    for (const { name } of entries)
      waiting.push({ path: join(folder, name), relative: relative === "" ? name : `${relative}/${name}` });
  };
  add(root, "", await readdir(root, { withFileTypes: true }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    signal.throwIfAborted();
    const { path, relative } = next;
    if (!enter(relative)) continue;
    const stats = await unlessGone(lstat(path));
    if (stats === undefined) continue;
    yield { path, relative, stats };
    if (stats.isDirectory()) add(path, relative, (await unlessGone(readdir(path, { withFileTypes: true }))) ?? []);
  }
}

async function unlessGone<Value>(looking: Promise<Value>): Promise<Value | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
