// Whether what stands where a JSON Schema (2020-12) is expected is one.

import type { Json, JsonObject } from "../sdk.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { pointerTo } from "./pointer.ts";
import { compileSchema, metaProblems, type SchemaProblem } from "./schema-check.ts";
import { meant } from "./shapes.ts";

/** Faults where a member of a document ought to be a JSON Schema and is none. */
export function schemaIsSound(document: Document, pointer: string, schema: JsonObject): Fault[] {
  return schemaProblems(schema).map(({ pointer: inner, keyword, message, suggestion }) =>
    faultAt(document, `${pointer}${inner}`, {
      code: "SCHEMA_INVALID",
      message: `this ${message}`,
      ...(keyword === "stray" ? { where: "key" as const } : {}),
      ...(suggestion === undefined ? {} : { suggestion }),
    }),
  );
}

function schemaProblems(schema: JsonObject): SchemaProblem[] {
  const problems = [
    ...metaProblems(schema),
    ...keywordsOf(schema, "").flatMap(badPattern),
    ...strayMembers(schema, ""),
  ];
  if (problems.length > 0) return problems;
  try {
    compileSchema(schema);
    return [];
  } catch (error) {
    const { missingRef, message } = error as Error & { missingRef?: string };
    const reference = keywordsOf(schema, "").find(
      ({ keyword, value }) => keyword === "$ref" && missingRef?.endsWith(String(value)),
    );
    if (reference === undefined) return [problem("", `is no usable JSON Schema: ${message}`)];
    return [problem(reference.pointer, `leads to ${missingRef}, which does not exist`)];
  }
}

const types = ["array", "boolean", "integer", "null", "number", "object", "string"];

/**
 * A member of an object that is described beside `properties` instead of in it, and a misspelt word: JSON Schema lets any
 * word stand there, and then nothing is asked of the value.
 */
function strayMembers(schema: Json | undefined, place: string): SchemaProblem[] {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return [];
  const inner = (key: string) => {
    const members = schema[key];
    if (typeof members !== "object" || members === null || Array.isArray(members)) return [];
    return Object.entries(members).flatMap(([name, value]) => strayMembers(value, place + pointerTo([key, name])));
  };
  const stray = Object.entries(schema).flatMap(([key, value]): SchemaProblem[] => {
    if (schemaWords.has(key)) return [];
    const at = { pointer: `${place}${pointerTo([key])}`, keyword: "stray" };
    const { suggestion } = askingWords.has(key) ? {} : meant(key, askingWords);
    if (suggestion !== undefined) return [{ ...at, message: "is no word of JSON Schema", suggestion }];
    const message = "is no word of JSON Schema; what an object has is described in `properties`";
    return isDescription(value) ? [{ ...at, message }] : [];
  });
  return [...stray, ...inner("properties"), ...strayMembers(schema.items, `${place}/items`)];
}

function isDescription(value: Json | undefined): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return typeof value.type === "string" && types.includes(value.type);
}

const schemaWords = new Set(
  [
    "properties patternProperties additionalProperties unevaluatedProperties propertyNames items prefixItems contains",
    "unevaluatedItems if then else not allOf anyOf oneOf dependentSchemas dependencies contentSchema $defs definitions",
    "default const examples",
  ].flatMap((words) => words.split(" ")),
);

/** Those that ask something of a value or say what becomes of it, and have no schema as their value. */
const askingWords = new Set(
  [
    "type enum format pattern required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength",
    "minItems maxItems uniqueItems minContains maxContains minProperties maxProperties dependentRequired writeOnly readOnly",
  ].flatMap((words) => words.split(" ")),
);

interface Keyword {
  pointer: string;
  keyword: string;
  value: Json | undefined;
}

const notSchemas = ["default", "const", "enum", "examples"];

/** All members of a schema and the schemas in it, names of properties among them. */
function keywordsOf(schema: Json | undefined, place: string): Keyword[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => {
    const pointer = place + pointerTo([keyword]);
    return [{ pointer, keyword, value }, ...(notSchemas.includes(keyword) ? [] : keywordsOf(value, pointer))];
  });
}

function badPattern({ pointer, keyword, value }: Keyword): SchemaProblem[] {
  if (keyword !== "pattern" || typeof value !== "string") return [];
  try {
    new RegExp(value, "u");
    return [];
  } catch (error) {
    const reason = (error as Error).message.replace(/^.*: /, "").toLowerCase();
    return [problem(pointer, `is no regular expression: ${reason}`)];
  }
}

function problem(pointer: string, message: string): SchemaProblem {
  return { pointer, keyword: "schema", message };
}
