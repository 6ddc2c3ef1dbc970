// A refused command's value, as its answer repeats it. An answer goes through the outbox, so it must hold no secret; and
// what was refused may have its secrets in the wrong place.

import type { Json, JsonObject } from "gantry";
import { isObject, parts } from "./member-names.ts";

const hidden = "***";

/**
 * The same where the schema marks nothing `writeOnly`. Otherwise without the texts that it marks, and without those of
 * which it does not say that they are none.
 */
export function shownValue(value: Json, schema: JsonObject | undefined): Json {
  return schema === undefined || !marksSecrets(schema) ? value : shown(value, [schema], schema);
}

function shown(value: Json, schemas: JsonObject[], root: JsonObject): Json {
  const all = schemas.flatMap((schema) => parts(schema, root, new Set()));
  if (typeof value === "string") return all.length === 0 || all.some(marksSecrets) ? hidden : value;
  const isSecret = all.some(({ writeOnly }) => writeOnly === true);
  const inner = (schemasOf: (schema: JsonObject) => (Json | undefined)[]) =>
    isSecret ? [] : all.flatMap(schemasOf).filter(isObject);
  if (Array.isArray(value))
    return value.map((item) =>
      shown(
        item,
        inner(({ items }) => [items]),
        root,
      ),
    );
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      shown(
        member,
        inner((schema) => membersOf(schema, name)),
        root,
      ),
    ]),
  );
}

function membersOf({ properties, patternProperties, additionalProperties }: JsonObject, name: string) {
  const fitting = isObject(patternProperties)
    ? Object.entries(patternProperties).flatMap(([pattern, schema]) =>
        new RegExp(pattern, "u").test(name) ? [schema] : [],
      )
    : [];
  if (isObject(properties) && Object.hasOwn(properties, name)) fitting.push(properties[name]!);
  return fitting.length > 0 ? fitting : [additionalProperties];
}

/** Also where a schema names another one: it may mark some. */
function marksSecrets(schema: Json): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  return Object.entries(schema).some(
    ([name, inner]) => (name === "writeOnly" && inner === true) || name === "$ref" || marksSecrets(inner),
  );
}
