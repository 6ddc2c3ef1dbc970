import { compile, evaluate, hasExpression, parseText, type Scope } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";

/** The contexts whose values are known before the run. */
export type Known = JsonObject;

const unknown = Symbol("known only in the run");

/** The value with its expressions evaluated; not known where one of them reads what only the run brings. */
export function resolveKnown(value: Json, known: Known): Json | typeof unknown {
  return reads(value).every((context) => Object.hasOwn(known, context))
    ? evaluate(compile(value), known as Scope)
    : unknown;
}

export function isKnown(value: Json | typeof unknown): value is Json {
  return value !== unknown;
}

/** The names of the contexts that the expressions of a value read. */
function reads(value: Json): string[] {
  if (typeof value === "string")
    return hasExpression(value) ? parseText(value).references.map(({ path }) => String(path[0])) : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(reads);
}
