// The part of a workflow that has its shape, so that one mistake does not hide others.

import type { Json } from "../sdk.ts";
import type { Document } from "./document.ts";
import { parsePointer, pointerTo, valueAt } from "./pointer.ts";
import type { SchemaProblem } from "./schema-check.ts";

export interface SoundPart {
  document: Document;
  /** Pointers of objects that have a fault of shape: what they lack may be no mistake of its own. */
  broken: ReadonlySet<string>;
  /** All that was set aside. */
  problems: { document: Document; problem: SchemaProblem }[];
}

/** Sets aside what `check` objects to. A misspelt key is read as what it was meant to be. */
export function soundPartOf(original: Document, check: (document: Document) => SchemaProblem[]): SoundPart {
  let document = original;
  const broken = new Set<string>();
  const problems: SoundPart["problems"] = [];
  const foreign = new Set<string>();
  const isForeign = ({ pointer, property, keyword }: SchemaProblem) =>
    property === undefined && keyword !== "pattern" && foreign.has(pointer);
  for (;;) {
    // What misses only because it was set aside is no new problem.
    const current = document;
    const found = check(document).filter(({ keyword, pointer }) => keyword !== "required" || !broken.has(pointer));
    if (found.length === 0) return { document, broken, problems };
    const value = structuredClone(document.value);
    const aliases = new Map(document.aliases);
    for (const problem of found) {
      // The value of another system's word need not fit the one of ours, and that is no second mistake.
      if (!isForeign(problem)) problems.push({ document: current, problem });
      if (problem.isHabit) foreign.add(pointerTo([...parsePointer(problem.pointer).slice(0, -1), problem.suggestion!]));
      setAside(value, problem, broken, (meant, written) => aliases.set(meant, aliasOf(aliases, written)));
    }
    if (found.some(({ pointer, property }) => pointer === "" && property === undefined))
      return { document: { ...document, value: {} }, broken: new Set([""]), problems };
    document = { ...document, value, aliases };
  }
}

function setAside(
  root: Json,
  { pointer, keyword, property, suggestion }: SchemaProblem,
  broken: Set<string>,
  rename: (meant: string, written: string) => void,
): void {
  if (keyword === "required") {
    broken.add(pointer);
    return;
  }
  const path = parsePointer(pointer);
  const key = path.pop();
  const parent = valueAt(root, path);
  if (key === undefined || typeof parent !== "object" || parent === null) return;
  broken.add(pointerTo(path));
  if (Array.isArray(parent)) {
    parent[Number(key)] = path.at(-1) === "parallel" ? [] : {};
    broken.add(pointer);
    return;
  }
  const { [key]: value } = parent;
  delete parent[key];
  broken.add(pointer);
  if (property === undefined || suggestion === undefined || Object.hasOwn(parent, suggestion)) return;
  parent[suggestion] = value!;
  rename(pointerTo([...path, suggestion]), pointer);
}

/** The pointer as the document is written, of one into what it was meant to be. */
export function aliasOf(aliases: ReadonlyMap<string, string> | undefined, pointer: string): string {
  if (aliases === undefined || aliases.size === 0) return pointer;
  let read = "";
  let written = "";
  for (const key of pointer.split("/").slice(1)) {
    read += `/${key}`;
    written = aliases.get(read) ?? `${written}/${key}`;
  }
  return written;
}
