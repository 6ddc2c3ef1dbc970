import manifestSchema from "../../schemas/plugin.schema.json" with { type: "json" };
import type { Json, JsonObject } from "../sdk.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { pointerTo } from "./pointer.ts";
import { compileSchema, schemaFaults, schemaProblems } from "./schema-check.ts";

let check: ReturnType<typeof compileSchema> | undefined;

/** What can be said of a plugin.json alone, the schemas in it included. */
export function checkManifest(document: Document): Fault[] {
  check ??= compileSchema(manifestSchema as unknown as JsonObject);
  const faults = schemaFaults(document, check(document.value));
  if (faults.length > 0) return faults;
  return schemasOf(document.value as JsonObject).flatMap(([path, schema]) =>
    schemaIsSound(document, pointerTo(path), schema),
  );
}

/** A fault where a member of a document ought to be a JSON Schema and is none. */
export function schemaIsSound(document: Document, pointer: string, schema: Json): Fault[] {
  return schemaProblems(schema).map((problem) =>
    faultAt(document, `${pointer}${problem.pointer}`, { code: "SCHEMA_INVALID", message: `this ${problem.message}` }),
  );
}

function schemasOf({ config, steps = {}, triggers = {} }: JsonObject): [path: string[], schema: Json][] {
  const found: [string[], Json | undefined][] = [[["config"], config]];
  for (const [name, step] of Object.entries(steps as Record<string, JsonObject>))
    for (const key of ["input", "output"]) found.push([["steps", name, key], step[key]]);
  for (const [name, trigger] of Object.entries(triggers as Record<string, JsonObject>))
    for (const key of ["with", "input", "event"]) found.push([["triggers", name, key], trigger[key]]);
  return found.filter((entry): entry is [string[], Json] => entry[1] !== undefined);
}
