// `with`, held against the schema of its step or trigger as far as its values are written out.

import { hasExpression, parseText } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { holdsExpression } from "./check-expressions.ts";
import type { Document } from "./document.ts";
import type { Fault } from "./fault.ts";
import { parsePointer } from "./pointer.ts";
import { compileSchema, type SchemaProblem, schemaFaults } from "./schema-check.ts";

/** `place` is the pointer of the object that has, or lacks, `with`. */
export function checkWith(
  document: Document,
  place: string,
  value: Json | undefined,
  schema: JsonObject | undefined,
): Fault[] {
  if (schema === undefined) return [];
  const given = value ?? {};
  const problems = checkOf(schema)(given).filter((problem) => !isOpen(problem, given));
  const base = value === undefined ? place : `${place}/with`;
  return schemaFaults(
    document,
    problems.map((problem) => ({ ...problem, pointer: base + problem.pointer })),
  );
}

// What an expression gives shows only in the run, and is checked then; but one between other text can only give a text.
function isOpen({ pointer, keyword, property }: SchemaProblem, given: Json): boolean {
  if (property !== undefined) return false;
  const value = parsePointer(pointer).reduce<Json | undefined>(
    (inner, key) => (inner as JsonObject | undefined)?.[key],
    given,
  );
  if (typeof value === "string" && hasExpression(value)) return keyword !== "type" || parseText(value).whole;
  return (keyword === "anyOf" || keyword === "oneOf") && holdsExpression(value);
}

const checks = new WeakMap<JsonObject, ReturnType<typeof compileSchema>>();

function checkOf(schema: JsonObject): ReturnType<typeof compileSchema> {
  const check = checks.get(schema) ?? compileSchema(schema);
  checks.set(schema, check);
  return check;
}
