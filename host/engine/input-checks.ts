import { compileSchema } from "../documents/schema-check.ts";
import { GantryError } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { isRunSecret } from "./run-secrets.ts";

const compiled = new WeakMap<JsonObject, ReturnType<typeof compileSchema>>();

/**
 * Fills in defaults (in place) and throws INPUT_INVALID naming everything that does not match. The schema is compiled at
 * first use. A secret that has been set aside is taken to match.
 */
export function checkInput(workflow: string, schema: JsonObject | undefined, input: Json): void {
  if (schema === undefined) return;
  let problemsOf = compiled.get(schema);
  if (problemsOf === undefined) {
    problemsOf = compileSchema(schema, { defaults: true });
    compiled.set(schema, problemsOf);
  }
  const problems = problemsOf(input)
    .filter(({ pointer }) => !isSetAside(input, pointer))
    .map(({ pointer, message }) => `${pointer === "" ? "the input" : pointer} ${message}`);
  if (problems.length === 0) return;
  throw new GantryError("INPUT_INVALID", `${workflow}: ${problems.join("; ")}`, { details: { problems } });
}

function isSetAside(input: Json, pointer: string): boolean {
  let value: Json | undefined = input;
  for (const word of pointer.split("/").slice(1)) {
    if (typeof value !== "object" || value === null) return false;
    value = (value as JsonObject)[word.replaceAll("~1", "/").replaceAll("~0", "~")];
    if (isRunSecret(value)) return true;
  }
  return false;
}
