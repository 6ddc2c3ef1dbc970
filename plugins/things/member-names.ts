// The daemons that Gantry replaces read the names of members whatever their case, and their users send them so.

import type { Json, JsonObject } from "gantry";

/**
 * The value with the names that `schema` knows, where it has them in another case. Names of maps (what
 * `additionalProperties` describes) stay as they are. Of two spellings of one name the last one counts.
 */
export function mapMemberNames(value: Json, schema: JsonObject | undefined): Json {
  return schema === undefined ? value : map(value, [schema], schema);
}

function map(value: Json, schemas: JsonObject[], root: JsonObject): Json {
  const all = schemas.flatMap((schema) => parts(schema, root, new Set()));
  if (all.length === 0) return value;
  if (Array.isArray(value))
    return value.map((item, index) =>
      map(item, all.flatMap((schema) => [asList(schema.prefixItems)[index], schema.items]).filter(isObject), root),
    );
  if (!isObject(value)) return value;
  const entries = new Map<string, Json>();
  for (const [given, inner] of Object.entries(value)) {
    const name = nameOf(given, all);
    const below = all.flatMap((schema) => {
      const { properties, additionalProperties } = schema;
      if (isObject(properties) && Object.hasOwn(properties, name)) return [properties[name]];
      return [additionalProperties];
    });
    // The last spelling counts, also where it stands.
    entries.delete(name);
    entries.set(name, map(inner, below.filter(isObject), root));
  }
  return Object.fromEntries(entries);
}

function nameOf(given: string, schemas: JsonObject[]): string {
  const names = schemas.flatMap(({ properties }) => (isObject(properties) ? Object.keys(properties) : []));
  if (names.includes(given)) return given;
  const lower = given.toLowerCase();
  return names.find((name) => name.toLowerCase() === lower) ?? given;
}

/** The schema and all those that hold beside it. */
export function parts(schema: JsonObject, root: JsonObject, seen: Set<JsonObject>): JsonObject[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const { $ref, allOf, anyOf, oneOf, then, else: otherwise } = schema;
  const beside = [referred($ref, root), ...asList(allOf), ...asList(anyOf), ...asList(oneOf), then, otherwise].filter(
    isObject,
  );
  return [schema, ...beside.flatMap((part) => parts(part, root, seen))];
}

/** What a reference within the document means. */
function referred(reference: Json | undefined, root: JsonObject): Json | undefined {
  if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
  return reference
    .slice(1)
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<Json | undefined>((inner, part) => (isObject(inner) ? inner[part] : undefined), root);
}

const asList = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
