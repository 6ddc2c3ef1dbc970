// Globs over relative paths. Node matches one name; here `**` stands for any number of folders, and, other than in a
// shell, names that begin with a dot are names like others: what is excluded must not come in again by its dot.

import { matchesGlob } from "node:path";

/** No name has it, and it is no dot. */
const stand = "\u0001";

/** Whether a path fits one of the globs. Throws what `invalid` makes of the words for a glob that is none. */
export function matcher(globs: readonly string[], invalid: (message: string) => Error): (path: string) => boolean {
  const patterns = globs.map((glob) => partsOf(glob, invalid));
  return (path) => {
    const names = path.split("/");
    return patterns.some((pattern) => matches(names, pattern));
  };
}

function partsOf(glob: string, invalid: (message: string) => Error): string[] {
  const parts = glob.split("/").filter((part) => part !== "" && part !== ".");
  const isCut = parts.some((part) => part.split("{").length !== part.split("}").length);
  if (glob.startsWith("/") || parts.includes("..") || parts.length === 0 || isCut)
    throw invalid(`the glob ${JSON.stringify(glob)} is not relative to the folder`);
  return parts;
}

// Goes back to the last `**` only, which takes one name more then: never more steps than names times patterns.
function matches(names: string[], pattern: string[]): boolean {
  let name = 0;
  let part = 0;
  let star = -1;
  let taken = 0;
  while (name < names.length) {
    if (pattern[part] === "**") {
      star = part++;
      taken = name;
    } else if (part < pattern.length && matchesName(names[name]!, pattern[part]!)) {
      name++;
      part++;
    } else if (star >= 0) {
      part = star + 1;
      name = ++taken;
    } else return false;
  }
  return pattern.slice(part).every((rest) => rest === "**");
}

function matchesName(name: string, pattern: string): boolean {
  if (pattern === "*" || pattern === name) return true;
  if (!/[*?[\]{}()\\!+@]/.test(pattern)) return false;
  return matchesGlob(name, pattern) || (name.startsWith(".") && matchesGlob(stand + name, pattern));
}
