// Globs of one's own, beyond the original: `**` stands for any number of folders, `{a,b}` for one of several.

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "gantry";
import { matcher } from "gantry/toolkit/globs";

/**
 * Throws FILE_UPLOAD_PATTERN_INVALID. Names that begin with a dot are names like others. What begins with a slash fits
 * absolute paths only, and what does not fits relative ones, unless it begins with `**`.
 */
export function globMatcher(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map((glob) => {
    const matches = matcher([withoutRoot(glob)], invalid);
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

/** The files that a glob stands for, in the order of their paths. Links to folders are not followed. */
export async function expandGlob(glob: string, signal: AbortSignal): Promise<string[]> {
  const isWanted = globMatcher([glob]);
  const { folder } = splitAtMeta(glob, hasGlobMeta);
  const found: string[] = [];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    signal.throwIfAborted();
    const entries: Dirent[] = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = next === "." ? entry.name : join(next, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (isWanted(path)) found.push(path);
    }
  }
  return found.toSorted();
}

const withoutRoot = (path: string) => path.replace(/^\/+/, "");

const invalid = (message: string) => new PluginError("FILE_UPLOAD_PATTERN_INVALID", message);
