// What may be uploaded: by the text of what is asked for, as in the original, and by where a file really lies, so that
// neither links nor `..` lead out of what the operator allows.

import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { PluginError } from "gantry";
import { patternInvalid } from "./failures.ts";
import { globMatcher, hasGlobMeta, splitAtMeta } from "./globs.ts";
import { compileGoPattern, hasMeta } from "./go-pattern.ts";

export interface Allowed {
  /** The configured pattern of the original; may be empty. */
  files: string;
  /** Further globs, of one's own. */
  include: readonly string[];
  mode: "strict" | "scoped" | "lax";
}

/** Longer than any path can be. */
const maxPatternLength = 4096;
/** Longer than any name can be. */
const maxNameLength = 255;

/**
 * Throws FILE_UPLOAD_NOT_PERMITTED and FILE_UPLOAD_NOTHING_SPECIFIED, in the original's words, and
 * FILE_UPLOAD_PATTERN_INVALID. Empty: what is configured.
 */
export function checkRequested(requested: string, { files, include, mode }: Allowed): void {
  if (requested === "") {
    if (files !== "" || include.length > 0) return;
    throw new PluginError("FILE_UPLOAD_NOTHING_SPECIFIED", "upload files not specified");
  }
  if (requested.length > maxPatternLength)
    throw patternInvalid(`a pattern of more than ${maxPatternLength} characters`);
  if (mode === "lax" || requested === files || include.includes(requested)) return;
  if (mode === "scoped" && isWithin(requested, files, include)) return;
  throw new PluginError("FILE_UPLOAD_NOT_PERMITTED", `uploading '${requested}' with mode '${mode}' is not permitted`);
}

function isWithin(requested: string, files: string, include: readonly string[]): boolean {
  // A pattern's star would match the dots, too.
  if (requested.split("/").includes("..")) return false;
  if (files !== "" && compileGoPattern(files).test(requested)) return true;
  // The operator's globs may need very many steps for a name that is very long.
  return requested.split("/").every(({ length }) => length <= maxNameLength) && globMatcher(include)(requested);
}

/**
 * Whether a file that really lies there may be uploaded: below the place where the fixed part of a configured pattern
 * really is, at a path that its rest matches.
 */
export async function realAllowance({ files, include, mode }: Allowed): Promise<(realPath: string) => boolean> {
  if (mode === "lax") return () => true;
  const within = async (
    pattern: string,
    isMeta: typeof hasMeta,
    matcherOf: (rest: string) => (path: string) => boolean,
  ) => {
    const { folder, rest } = splitAtMeta(pattern, isMeta);
    const base = withSlash(await realpath(folder).catch(() => resolve(folder)));
    const matches = matcherOf(rest);
    return (path: string) => path.startsWith(base) && matches(path.slice(base.length));
  };
  const allows = await Promise.all([
    ...(files === "" ? [] : [within(files, hasMeta, (rest) => compileGoPattern(rest).test)]),
    ...include.map((glob) => within(glob, hasGlobMeta, (rest) => globMatcher([rest]))),
  ]);
  return (realPath) => allows.some((allow) => allow(realPath));
}

const withSlash = (folder: string) => (folder.endsWith("/") ? folder : `${folder}/`);
