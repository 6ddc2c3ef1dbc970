// Secrets that come with a run's input (`writeOnly` in its schema) are set aside before anything is written: what the
// journal, expressions and logs see is a reference, and the value is put in just before the step that takes it.

import { randomUUID } from "node:crypto";
import type { Json, JsonObject } from "../sdk.ts";
import { registerSecret } from "../secrets.ts";

const prefix = "run:";

export function isRunSecret(value: unknown): value is { $secret: string } {
  if (typeof value !== "object" || value === null) return false;
  const { $secret: name } = value as { $secret?: unknown };
  return typeof name === "string" && name.startsWith(prefix) && Object.keys(value).length === 1;
}

/** Whether a value that came from outside pretends to be a reference to a secret. */
export function namesSecret(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "$secret") || Object.values(value).some(namesSecret);
}

/** Replaces (in place) what the schema marks `writeOnly`; gives the values by their new names. */
export function setSecretsAside(schema: JsonObject | undefined, input: Json): Record<string, Json> {
  const secrets: Record<string, Json> = {};
  if (schema !== undefined) visit(schema, schema, input, secrets, 0);
  return secrets;
}

// Deep enough for any schema that people write, and an end for one that refers to itself.
const maxDepth = 64;

function visit(root: JsonObject, schema: Json | undefined, value: Json, secrets: Record<string, Json>, depth: number) {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema) || depth > maxDepth) return;
  if (typeof value !== "object" || value === null) return;
  const { $ref, allOf, anyOf, oneOf, properties, patternProperties, additionalProperties, items, prefixItems } = schema;
  const inner = (part: Json | undefined, of: Json = value) => visit(root, part, of, secrets, depth + 1);
  if (typeof $ref === "string") inner(targetOf(root, $ref));
  for (const list of [allOf, anyOf, oneOf]) if (Array.isArray(list)) for (const part of list) inner(part);
  for (const key of ["if", "then", "else"]) inner(schema[key]);
  for (const [key, member] of Object.entries(value)) {
    const parts = Array.isArray(value)
      ? [(prefixItems as Json[] | undefined)?.[Number(key)] ?? items]
      : partsFor(key, properties, patternProperties, additionalProperties);
    for (const part of parts) {
      if (isRunSecret((value as JsonObject)[key])) break;
      if (isWriteOnly(root, part)) (value as JsonObject)[key] = setAside(member, secrets);
      else inner(part, member);
    }
  }
}

function partsFor(key: string, properties?: Json, patterns?: Json, additional?: Json): (Json | undefined)[] {
  const own = properties as JsonObject | undefined;
  const found: (Json | undefined)[] = own !== undefined && Object.hasOwn(own, key) ? [own[key]] : [];
  for (const [pattern, part] of Object.entries((patterns ?? {}) as JsonObject))
    if (new RegExp(pattern, "u").test(key)) found.push(part);
  return found.length > 0 ? found : [additional];
}

function isWriteOnly(root: JsonObject, part: Json | undefined): boolean {
  if (typeof part !== "object" || part === null || Array.isArray(part)) return false;
  if (part.writeOnly === true) return true;
  const target = typeof part.$ref === "string" ? targetOf(root, part.$ref) : undefined;
  return (target as JsonObject | undefined)?.writeOnly === true;
}

function targetOf(root: JsonObject, reference: string): Json | undefined {
  if (!reference.startsWith("#")) return undefined;
  const words = reference.slice(1).split("/").slice(1);
  return words.reduce<Json | undefined>(
    (value, word) => (value as JsonObject | undefined)?.[word.replaceAll("~1", "/").replaceAll("~0", "~")],
    root,
  );
}

function setAside(value: Json, secrets: Record<string, Json>): JsonObject {
  const name = `${prefix}${randomUUID()}`;
  secrets[name] = value;
  return { $secret: name };
}

/** From now on nothing the host writes shows these values. */
export function maskValues(value: Json): void {
  if (typeof value === "string") registerSecret(value);
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) maskValues(inner);
}

/** A copy of an input, with the run's own secrets in the places of their references. */
export function putSecretsIn(value: Json, find: (name: string) => Json | undefined): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => putSecretsIn(item, find));
  if (isRunSecret(value)) return find(value.$secret) ?? value;
  const copy: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key !== "__proto__") copy[key] = putSecretsIn(inner, find);
    else Object.defineProperty(copy, key, { ...asMember, value: putSecretsIn(inner, find) });
  }
  return copy;
}

const asMember = { enumerable: true, configurable: true, writable: true };
