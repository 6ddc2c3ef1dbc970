// The files that a pattern of the original stands for, in the order of Go's filepath.Glob. What cannot be read is passed
// over, as there.

import { lstat, readdir } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { compileGoPattern, hasMeta } from "./go-pattern.ts";

/** Paths as the pattern spells them, relative to the working directory where it is relative. */
export async function goGlob(pattern: string, signal: AbortSignal): Promise<string[]> {
  signal.throwIfAborted();
  // The whole pattern is looked at before anything is read.
  compileGoPattern(pattern);
  if (!hasMeta(pattern)) return (await exists(pattern)) ? [pattern] : [];
  const cut = pattern.lastIndexOf("/") + 1;
  const folder = cut === 0 ? "." : cut === 1 ? "/" : pattern.slice(0, cut - 1);
  const name = pattern.slice(cut);
  const folders = hasMeta(folder) && folder !== dirname(folder) ? await goGlob(folder, signal) : [folder];
  const found: string[] = [];
  const matches = compileGoPattern(name);
  for (const each of folders) {
    signal.throwIfAborted();
    const names = await readdir(each).catch(() => []);
    for (const entry of names.toSorted(byBytes)) if (matches.test(entry)) found.push(joined(each, entry));
  }
  return found;
}

const exists = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

const joined = (folder: string, name: string) => (folder === "." ? normalize(name) : join(folder, name));

/** Go sorts by bytes; UTF-16 units would put some letters elsewhere. */
const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));
