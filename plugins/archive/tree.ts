// Walks a folder in a fixed order, and never through a link.

import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface Found {
  /** Relative to the folder, with slashes. */
  path: string;
  stats: BigIntStats;
}

/**
 * All below the folder; what `enter` denies is neither given nor entered. So many are looked at together, most of them
 * before they are asked for. Rejects with the system's errors.
 */
export async function* walk(
  root: string,
  signal: AbortSignal,
  enter: (path: string) => boolean = () => true,
  atATime = 1,
  folder = "",
): AsyncGenerator<Found> {
  const names = await readdir(join(root, folder));
  const paths = names.sort().map((name) => (folder === "" ? name : `${folder}/${name}`));
  const entered = paths.filter(enter);
  for (let begin = 0; begin < entered.length; begin += atATime) {
    signal.throwIfAborted();
    const some = entered.slice(begin, begin + atATime).map(async (path) => {
      return { path, stats: await lstat(join(root, path), { bigint: true }) };
    });
    for (const found of await Promise.all(some)) {
      yield found;
      if (found.stats.isDirectory()) yield* walk(root, signal, enter, atATime, found.path);
    }
  }
}
