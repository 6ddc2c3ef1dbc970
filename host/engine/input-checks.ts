import { parsePointer } from "../documents/pointer.ts";
import { compileForValues } from "../documents/schema-check.ts";
import { toldProblems } from "../documents/told-problems.ts";
import { GantryError } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { isRunSecret } from "./run-secrets.ts";

const compiled = new WeakMap<JsonObject, ReturnType<typeof compileForValues>>();

/**
 * Fills in defaults (in place) and throws INPUT_INVALID naming everything that does not match. The schema is compiled at
 * first use. A secret that has been set aside is taken to match.
 */
export function checkInput(workflow: string, schema: JsonObject | undefined, input: Json): void {
  if (schema === undefined) return;
  let problemsOf = compiled.get(schema);
  if (problemsOf === undefined) {
    problemsOf = compileForValues(schema, { defaults: true });
    compiled.set(schema, problemsOf);
  }
  const found = problemsOf(input, ({ pointer, keyword }) => !isUndecided(input, pointer, keyword));
  if (found.length === 0) return;
  const problems = toldProblems(
    found.map(({ pointer, message }) => `${pointer === "" ? "the input" : pointer} ${message}`),
  );
  throw new GantryError("INPUT_INVALID", `${workflow}: ${problems.join("; ")}`, { details: { problems } });
}

/** What these say of a value depends on all that lies in it. */
const combining = new Set(["anyOf", "oneOf", "not", "if", "contains"]);

/** Whether a secret that has been set aside is what does not match, or might be. */
function isUndecided(input: Json, pointer: string, keyword: string): boolean {
  let value: Json | undefined = input;
  for (const key of parsePointer(pointer)) {
    if (isRunSecret(value)) return true;
    if (typeof value !== "object" || value === null) return false;
    value = (value as JsonObject)[key];
  }
  return isRunSecret(value) || (combining.has(keyword) && value !== undefined && holdsSecret(value));
}

function holdsSecret(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return isRunSecret(value) || Object.values(value).some(holdsSecret);
}
