// Walks a folder in a fixed order, and never through a link.

import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface Found {
  /** Relative to the folder, with slashes. */
  path: string;
  stats: BigIntStats;
}

/** All below the folder; what `enter` denies is neither given nor entered. Rejects with the system's errors. */
export async function* walk(
  root: string,
  signal: AbortSignal,
  enter: (path: string) => boolean = () => true,
  folder = "",
): AsyncGenerator<Found> {
  const names = await readdir(join(root, folder));
  for (const name of names.sort()) {
    signal.throwIfAborted();
    const path = folder === "" ? name : `${folder}/${name}`;
    if (!enter(path)) continue;
    const stats = await lstat(join(root, path), { bigint: true });
    yield { path, stats };
    if (stats.isDirectory()) yield* walk(root, signal, enter, path);
  }
}
