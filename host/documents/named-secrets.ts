// `{"$secret": NAME}` in the `with` of a step: it may stand where the step's schema marks a secret, and nowhere else.

import type { Json, JsonObject } from "../sdk.ts";
import { isSecretReference } from "../secrets.ts";
import type { Checking } from "./checking.ts";
import { parsePointer, pointerTo, valueAt } from "./pointer.ts";
import type { SchemaProblem } from "./schema-problems.ts";
import { alternatives } from "./schema-words.ts";
import { memberNames } from "./shapes.ts";
import { isSecretPlace } from "./write-only.ts";

/** Of what `with` is: only steps of plugins take secrets. */
export type Taker = "step" | "workflow" | "trigger" | "vars";

/** The places of all references to secrets, as keys from the top. */
export function secretsNamedIn(value: Json, place: readonly string[] = []): string[][] {
  if (isSecretReference(value)) return [[...place]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => secretsNamedIn(inner, [...place, key]));
}

/** Reports what may not stand where it does. Gives the pointers, within the value, of those that may. */
export function checkNamedSecrets(
  checking: Checking,
  base: string,
  value: Json,
  schema: JsonObject,
  taker: Taker,
): ReadonlySet<string> {
  const taken = new Set<string>();
  for (const place of secretsNamedIn(value)) {
    const pointer = pointerTo(place);
    if (taker === "step" && place.length > 0 && isSecretPlace(schema, value, place)) taken.add(pointer);
    else checking.report(base + pointer, { code: "SECRET_NOT_TAKEN", message: refusal(taker, schema, place.at(-1)) });
  }
  return taken;
}

/** What was meant to name a secret, where one may stand, and does not. */
export function misnamed(problem: SchemaProblem, given: Json, schema: JsonObject): SchemaProblem {
  const place = parsePointer(problem.pointer);
  const value = valueAt(given, place);
  if (problem.keyword !== "type" || typeof value !== "object" || value === null) return problem;
  if (!Object.hasOwn(value, "$secret") || !isSecretPlace(schema, given, place)) return problem;
  const form = 'or `{"$secret": NAME}` with a name of letters, digits, `_`, `.` and `-`, and nothing else';
  return { ...problem, message: `${problem.message}, ${form}` };
}

function refusal(taker: Taker, schema: JsonObject, name: string | undefined): string {
  if (taker === "vars") return "a secret is named in the `with` of the step that takes it, and not in `vars`";
  if (taker === "trigger") return "the settings of a trigger take no secret";
  if (taker === "workflow")
    return "a secret is named in the `with` of a plugin's step, and not where a workflow is called";
  const marked = memberNames(schema).filter((member) => holdsMark((schema.properties as JsonObject)[member]!));
  const where = alternatives(marked.map((member) => `\`${member}\``));
  const instead = marked.length === 0 ? "none of this step's inputs is" : `of this step's inputs ${where} may be`;
  return `\`${name ?? "with"}\` is no secret: its schema has no \`writeOnly\` here; ${instead}`;
}

function holdsMark(schema: Json): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  return Object.entries(schema).some(([key, inner]) => (key === "writeOnly" && inner === true) || holdsMark(inner));
}
