// Tells whether files are as they were, without reading them: names, kinds, rights, sizes, and the times of the last
// change of content and of attributes, of which the system lets nobody choose the second.

import { createHash, type Hash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";
import { type Found, walk } from "./tree.ts";

/** Of all that is below the folder; the folder itself may have been renamed. */
export async function fingerprintOfTree(root: string, signal: AbortSignal): Promise<string> {
  const fingerprint = new Fingerprint();
  for await (const found of walk(root, signal, () => true, 32)) fingerprint.add(found);
  return fingerprint.digest();
}

/** Of one file; undefined where there is none. */
export async function fingerprintOfFile(path: string): Promise<string | undefined> {
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  return stats === undefined ? undefined : new Fingerprint().add({ path: "", stats }).digest();
}

export class Fingerprint {
  readonly #hash: Hash = createHash("sha256");

  add({ path, stats }: { path: string; stats: BigIntStats } | Found): this {
    const { mode, size, mtimeNs, ctimeNs } = stats;
    // A folder's times change with what is added beside what is looked at, and each name in it counts anyway.
    const times = stats.isDirectory() ? [] : [`${size}`, `${mtimeNs}`, `${ctimeNs}`];
    this.#hash.update(`${JSON.stringify([path, `${mode}`, ...times])}\n`);
    return this;
  }

  /** Of what was added so far. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}
