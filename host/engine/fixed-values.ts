// What an `undo` reads is fixed before its step acts: of everything visible then, only the values it names.

import { parseText, type Reference, type Scope } from "../expressions/index.ts";
import { isObject } from "../is-object.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { setMember } from "../set-member.ts";

type Path = (string | number)[];

/** The paths that the expressions of a value read, shortest first. */
export function pathsRead(value: Json): Path[] {
  const references: Reference[] = [];
  collect(value, references);
  return references.map(({ path }) => path).sort((one, other) => one.length - other.length);
}

function collect(value: Json, found: Reference[]): void {
  if (typeof value === "string") found.push(...parseText(value).references);
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) collect(inner, found);
}

/** The part of a scope that holds the values at these paths, and nothing else. */
export function fixValues(paths: Path[], scope: Scope): JsonObject {
  const fixed: JsonObject = {};
  for (const path of paths) {
    // A list is taken as a whole: its items have no names.
    const numbered = path.findIndex((key) => typeof key === "number");
    const keys = (numbered < 0 ? path : path.slice(0, numbered)) as string[];
    let from: Json | undefined = scope as unknown as Json;
    let into = fixed;
    for (const [depth, key] of keys.entries()) {
      from = memberOf(from, key);
      if (from === undefined) break;
      if (depth < keys.length - 1 && isObject(from)) {
        if (!Object.hasOwn(into, key)) setMember(into, key, {});
        into = into[key] as JsonObject;
        continue;
      }
      if (!Object.hasOwn(into, key)) setMember(into, key, structuredClone(from));
      break;
    }
  }
  return fixed;
}

function memberOf(value: Json | undefined, key: string): Json | undefined {
  return value !== undefined && isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
