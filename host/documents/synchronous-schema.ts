// ajv reads `$async` in a schema as the wish to be answered later, and such a check refuses nothing by itself. The word
// means nothing in JSON Schema, so it is left out wherever a schema may stand.

import { isObject } from "../is-object.ts";
import type { Json } from "../sdk.ts";

const ofSchemas = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];
const ofOne = [
  ...["items", "contains", "additionalItems", "unevaluatedItems", "contentSchema"],
  ...["additionalProperties", "propertyNames", "unevaluatedProperties", "not", "if", "then", "else"],
];
const ofLists = ["allOf", "anyOf", "oneOf", "prefixItems"];

/** The same schema without any `$async`. */
export function synchronous(schema: Json | undefined): Json | undefined {
  if (!isObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([keyword]) => keyword !== "$async")
      .map(([keyword, value]) => [keyword, withinKeyword(keyword, value!)]),
  );
}

function withinKeyword(keyword: string, value: Json): Json {
  if (ofOne.includes(keyword)) return synchronous(value)!;
  if (ofLists.includes(keyword) && Array.isArray(value)) return value.map((inner) => synchronous(inner)!);
  if (ofSchemas.includes(keyword) && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, synchronous(inner)!]));
  return value;
}
