// The files that a pattern of the original stands for, in the order of Go's filepath.Glob. What cannot be read is passed
// over, as there.

import { lstat } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { compileGoPattern, hasMeta } from "./go-pattern.ts";
import { type Limits, readFolder, withinLimit } from "./read-folder.ts";

/**
 * Paths as the pattern spells them, relative to the working directory where it is relative. Rejects with
 * FILE_UPLOAD_TOO_MANY, also where it is folders on the way that are too many.
 */
export async function goGlob(pattern: string, limits: Limits): Promise<string[]> {
  limits.signal.throwIfAborted();
  // The whole pattern is looked at before anything is read.
  compileGoPattern(pattern);
  if (!hasMeta(pattern)) return (await exists(pattern)) ? [pattern] : [];
  const cut = pattern.lastIndexOf("/") + 1;
  const folder = cut === 0 ? "." : cut === 1 ? "/" : pattern.slice(0, cut - 1);
  const name = pattern.slice(cut);
  const folders = hasMeta(folder) && folder !== dirname(folder) ? await goGlob(folder, limits) : [folder];
  const found: string[] = [];
  const matches = compileGoPattern(name);
  for (const each of folders) {
    const names: Buffer[] = [];
    for await (const { name: entry } of readFolder(each, limits)) {
      if (!matches.test(entry)) continue;
      names.push(Buffer.from(entry));
      withinLimit(found.length + names.length, limits);
    }
    // Go sorts by bytes; UTF-16 units would put some letters elsewhere.
    for (const entry of names.sort(Buffer.compare)) found.push(joined(each, String(entry)));
  }
  return found;
}

const exists = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

const joined = (folder: string, name: string) => (folder === "." ? normalize(name) : join(folder, name));
