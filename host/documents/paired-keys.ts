// A key that is missing, and an unknown one that has its value.

import type { ErrorObject } from "ajv";
import type { Json, JsonObject } from "../sdk.ts";
import { parentOf } from "./pointer.ts";
import type { SchemaProblem } from "./schema-problems.ts";
import { kindOf, kindsOf } from "./shapes.ts";

/** Where one key is missing and just one unknown key has a value for it, that one was meant. */
export function pairUp(problems: SchemaProblem[], errors: ErrorObject[]): void {
  for (const { keyword, pointer, property } of problems) {
    if (keyword !== "required" || property === undefined) continue;
    const { data, parentSchema } =
      errors.find((error) => error.keyword === "required" && error.instancePath === pointer) ?? {};
    const properties = (parentSchema as { properties?: Record<string, Json> } | undefined)?.properties ?? {};
    const missing = problems.filter((other) => other.keyword === "required" && other.pointer === pointer);
    const isMeant = (other: SchemaProblem) => other.suggestion === property && parentOf(other.pointer) === pointer;
    if (problems.some(isMeant)) continue;
    const fits = (name: string, value: Json) => {
      const schema = properties[name];
      if (isOpen(schema)) return true;
      const kinds = typeof schema === "object" ? kindsOf(schema as JsonObject) : undefined;
      return kinds?.some((kind) => kind === kindOf(value) || (kind === "number" && kindOf(value) === "integer"));
    };
    const unknown = problems.filter(
      (other) =>
        other.property !== undefined &&
        other.keyword !== "required" &&
        other.suggestion === undefined &&
        parentOf(other.pointer) === pointer &&
        fits(property, (data as JsonObject)[other.property]!),
    );
    const [only] = unknown;
    if (only === undefined || unknown.length > 1) continue;
    const value = (data as JsonObject)[only.property!]!;
    if (missing.filter((other) => other.property !== undefined && fits(other.property, value)).length > 1) continue;
    only.suggestion = property;
    only.message = `\`${only.property}\` is not known here`;
  }
}

/** Whether a schema takes any value. */
function isOpen(schema: Json | undefined): boolean {
  if (typeof schema !== "object" || schema === null) return schema === true;
  return Object.keys(schema).every((word) => ["title", "description", "default", "examples"].includes(word));
}
