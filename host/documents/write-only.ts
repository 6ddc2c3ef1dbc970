// What schemas mark with `writeOnly`: secrets, in the input of a workflow, and in the input and output of a step.

import { isObject } from "../is-object.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { parsePointer, valueAt } from "./pointer.ts";
import { compileSound } from "./schema-check.ts";

/**
 * Whether the schema marks what stands at this place of the value, or something around it. Where it only may hold
 * (`anyOf`), that counts.
 */
export function isSecretPlace(schema: JsonObject, value: Json, place: readonly string[]): boolean {
  let inner: Json = value;
  let schemas = inForce(schema, [schema], inner);
  for (const key of place) {
    if (schemas.some(isWriteOnly)) return true;
    const parts = partsFor(schemas, key, Array.isArray(inner));
    inner = (inner as JsonObject)[key]!;
    schemas = inForce(schema, parts, inner);
  }
  return schemas.some(isWriteOnly);
}

export const isWriteOnly = ({ writeOnly }: JsonObject) => writeOnly === true;

/** All schemas that speak, or may speak, of the value of which these do. */
export function inForce(root: JsonObject, schemas: (Json | undefined)[], value: Json): JsonObject[] {
  const found = new Set<JsonObject>();
  const add = (schema: Json | undefined) => {
    if (!isObject(schema) || found.has(schema)) return;
    found.add(schema);
    for (const key of ["$ref", "$dynamicRef"]) if (typeof schema[key] === "string") add(targetOf(root, schema[key]));
    for (const key of ["allOf", "anyOf", "oneOf"]) if (Array.isArray(schema[key])) schema[key].forEach(add);
    for (const key of branchesOf(schema, value)) add(schema[key]);
    if (isObject(schema.dependentSchemas)) Object.values(schema.dependentSchemas).forEach(add);
  };
  schemas.forEach(add);
  return [...found];
}

/** Which parts of a condition hold for the value; all, where that cannot be known. */
function branchesOf({ if: condition }: JsonObject, value: Json): readonly string[] {
  const holds = typeof condition === "boolean" ? condition : isObject(condition) ? isMet(condition, value) : undefined;
  if (holds === undefined) return ["if", "then", "else"];
  return holds ? ["if", "then"] : ["else"];
}

const conditions = new WeakMap<JsonObject, ReturnType<typeof compileSound>>();

function isMet(condition: JsonObject, value: Json): boolean | undefined {
  // References lead out of the part that is looked at.
  if (/"\$(?:ref|dynamicRef)"/.test(JSON.stringify(condition))) return undefined;
  if (!conditions.has(condition)) conditions.set(condition, compileSound(condition));
  const problemsOf = conditions.get(condition);
  return problemsOf && problemsOf(value).length === 0;
}

/** What schemas of a value say of one of its members. */
export function partsFor(schemas: JsonObject[], key: string, isItem: boolean): (Json | undefined)[] {
  const parts = schemas.flatMap((schema) => (isItem ? itemParts(schema, Number(key)) : memberParts(schema, key)));
  const rest = isItem ? "unevaluatedItems" : "unevaluatedProperties";
  return parts.length > 0 ? parts : schemas.map((schema) => schema[rest]);
}

function itemParts({ prefixItems, items, contains }: JsonObject, index: number): Json[] {
  const own = (prefixItems as Json[] | undefined)?.[index] ?? items;
  return [own, contains].filter((part) => part !== undefined);
}

function memberParts({ properties, patternProperties, additionalProperties }: JsonObject, key: string): Json[] {
  const own = properties as JsonObject | undefined;
  const found: Json[] = own !== undefined && Object.hasOwn(own, key) ? [own[key]!] : [];
  for (const [pattern, part] of Object.entries((patternProperties ?? {}) as JsonObject))
    if (new RegExp(pattern, "u").test(key)) found.push(part);
  return found.length > 0 || additionalProperties === undefined ? found : [additionalProperties];
}

function targetOf(root: JsonObject, reference: string): Json | undefined {
  if (!reference.startsWith("#")) return undefined;
  if (!/^#(?:\/|$)/.test(reference)) return anchored(root, reference.slice(1));
  const keys = parsePointer(decodeURIComponent(reference.slice(1)));
  return valueAt(root, keys);
}

function anchored(value: Json, name: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isObject(value) && (value.$anchor === name || value.$dynamicAnchor === name)) return value;
  for (const inner of Object.values(value)) {
    const found = anchored(inner, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
