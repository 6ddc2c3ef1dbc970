import manifestSchema from "../../schemas/plugin.schema.json" with { type: "json" };
import type { Json, JsonObject } from "../sdk.ts";
import type { Document } from "./document.ts";
import { type Fault, inOrder } from "./fault.ts";
import { pointerTo } from "./pointer.ts";
import { compileSchema, schemaFaults } from "./schema-check.ts";
import { schemaIsSound } from "./schema-soundness.ts";

let check: ReturnType<typeof compileSchema> | undefined;

/**
 * What can be said of a plugin.json alone. `known`: the schemas in it are known to be sound (those of Gantry's own
 * plugins, which its tests check), so that a host need not compile them all at each start.
 */
export function checkManifest(document: Document, { known = false } = {}): Fault[] {
  check ??= compileSchema(manifestSchema as unknown as JsonObject);
  const unsound = known
    ? []
    : schemasOf(document.value).flatMap(([path, schema]) => schemaIsSound(document, pointerTo(path), schema));
  return inOrder([...schemaFaults(document, check(document.value)), ...unsound]);
}

/** Whatever stands where a schema is expected and could be one. */
function schemasOf(manifest: Json): [path: string[], schema: JsonObject][] {
  const { config, steps, triggers } = membersOf(manifest);
  const found: [string[], Json | undefined][] = [[["config"], config]];
  for (const [name, step] of Object.entries(membersOf(steps)))
    for (const key of ["input", "output"]) found.push([["steps", name, key], membersOf(step)[key]]);
  for (const [name, trigger] of Object.entries(membersOf(triggers)))
    for (const key of ["with", "input", "event"]) found.push([["triggers", name, key], membersOf(trigger)[key]]);
  return found.filter((entry): entry is [string[], JsonObject] => isObject(entry[1]));
}

function membersOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
