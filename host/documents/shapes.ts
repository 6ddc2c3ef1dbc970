// What is known of values beforehand, as JSON Schemas.

import { nearest } from "../nearest.ts";
import type { Json, JsonObject } from "../sdk.ts";

/** What is known of a value: a JSON Schema, or nothing. */
export type Shape = JsonObject | undefined;

export const closed = (properties: Record<string, Json>): JsonObject => ({
  type: "object",
  properties,
  additionalProperties: false,
});

/** Of a configured secret, which is there and never shown. */
export const secretShape: JsonObject = { not: {} };

/** Of the member or item under a key. */
export function innerShape(shape: JsonObject, key: string | number): Shape | "missing" {
  const { properties = {}, patternProperties = {}, additionalProperties, prefixItems, items } = shape;
  // Which of these holds shows only in the value.
  if (typeof key === "number") return prefixItems === undefined ? shapeOf(items) : undefined;
  if (Object.hasOwn(properties as JsonObject, key)) return shapeOf((properties as JsonObject)[key]);
  if (Object.keys(patternProperties as JsonObject).some((pattern) => new RegExp(pattern, "u").test(key)))
    return undefined;
  return additionalProperties === false ? "missing" : shapeOf(additionalProperties);
}

// A schema may be true or false, which says nothing of members.
function shapeOf(schema: Json | undefined): Shape {
  return typeof schema === "object" && schema !== null ? (schema as JsonObject) : undefined;
}

export type Kind = "string" | "number" | "integer" | "boolean" | "array" | "object" | "null";

/** What kinds of value a schema allows, as far as it says so. */
export function kindsOf(shape: Shape): Kind[] | undefined {
  const { type, enum: choices, const: only } = shape ?? {};
  if (type !== undefined) return [type].flat() as Kind[];
  if (Array.isArray(choices)) return [...new Set(choices.map(kindOf))];
  return only === undefined ? undefined : [kindOf(only)];
}

export function kindOf(value: Json): Kind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value as "string" | "boolean" | "object";
}

const names = new WeakMap<JsonObject, string[]>();

/** Of the members that an object is said to have, and shows. */
export function memberNames({ properties }: JsonObject): string[] {
  const given = (properties ?? {}) as JsonObject;
  let found = names.get(given);
  if (found === undefined) {
    found = Object.keys(given).filter((name) => given[name] !== secretShape);
    names.set(given, found);
  }
  return found;
}

const maxListed = 30;

/** Names for a message. */
export function listed(names: readonly string[]): string {
  const more = names.length - maxListed;
  return more > 0 ? `${names.slice(0, maxListed).join(", ")} and ${more} more` : names.join(", ");
}

// Comparing names takes time with their number and length, and nobody misspells one among thousands.
const maxCompared = 200;
const maxLength = 100;

export function meant(name: string, known: Iterable<string>): { suggestion?: string } {
  if (name.length > maxLength) return {};
  const suggestion = nearest(name, Iterator.from(known).take(maxCompared));
  return suggestion === undefined ? {} : { suggestion };
}
