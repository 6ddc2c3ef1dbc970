// Globs of one's own, beyond the original: `**` stands for any number of folders, `{a,b}` for one of several.

import { join } from "node:path";
import { matcher } from "gantry/toolkit/globs";
import { patternInvalid } from "./failures.ts";
import { type Limits, readFolder, withinLimit } from "./read-folder.ts";

/**
 * Throws FILE_UPLOAD_PATTERN_INVALID. Names that begin with a dot are names like others. What begins with a slash fits
 * absolute paths only, and what does not fits relative ones, unless it begins with `**`.
 */
export function globMatcher(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map((glob) => {
    const matches = matcher([withoutRoot(glob)], patternInvalid);
    return { isAbsolute: glob.startsWith("/"), isAnywhere: glob.startsWith("**/"), matches };
  });
  return (path) =>
    patterns.some(
      ({ isAbsolute, isAnywhere, matches }) =>
        (isAnywhere || isAbsolute === path.startsWith("/")) && matches(withoutRoot(path)),
    );
}

export const hasGlobMeta = (part: string) => /[*?[\]{}()!+@\\]/.test(part);

/** A path in its fixed part, a folder, and the rest, in which there are patterns. */
export function splitAtMeta(pattern: string, hasMeta: (part: string) => boolean): { folder: string; rest: string } {
  const parts = pattern.split("/");
  const first = parts.findIndex(hasMeta);
  const fixed = first < 0 ? parts.length - 1 : first;
  const folder = parts.slice(0, fixed).join("/");
  return { folder: folder !== "" ? folder : pattern.startsWith("/") ? "/" : ".", rest: parts.slice(fixed).join("/") };
}

/**
 * The files that a glob stands for, in the order of their paths. Links to folders are not followed. Rejects with
 * FILE_UPLOAD_TOO_MANY.
 */
export async function expandGlob(glob: string, limits: Limits): Promise<string[]> {
  const isWanted = globMatcher([glob]);
  const { folder } = splitAtMeta(glob, hasGlobMeta);
  const found: string[] = [];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for await (const entry of readFolder(next, limits)) {
      const path = next === "." ? entry.name : join(next, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (isWanted(path)) found.push(path);
      withinLimit(waiting.length + found.length, limits);
    }
  }
  return found.toSorted();
}

const withoutRoot = (path: string) => path.replace(/^\/+/, "");
