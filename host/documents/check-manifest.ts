import manifestSchema from "../../schemas/plugin.schema.json" with { type: "json" };
import { isObject } from "../is-object.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { type Document, faultAt } from "./document.ts";
import { type Fault, inOrder } from "./fault.ts";
import { pointerTo } from "./pointer.ts";
import { compileSchema, schemaFaults } from "./schema-check.ts";
import { schemaIsSound } from "./schema-soundness.ts";
import { meant, memberNames } from "./shapes.ts";

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
  return inOrder([...schemaFaults(document, check(document.value)), ...unsound, ...checkCommands(document)]);
}

/** What says which command a trigger takes has to be among its settings. */
function checkCommands(document: Document): Fault[] {
  const faults: Fault[] = [];
  for (const [name, trigger] of Object.entries(membersOf(membersOf(document.value).triggers))) {
    const { command, with: settings } = membersOf(trigger);
    const known = memberNames(membersOf(settings));
    for (const [index, setting] of Array.isArray(command) ? command.entries() : []) {
      if (typeof setting !== "string" || known.includes(setting)) continue;
      const pointer = pointerTo(["triggers", name, "command", String(index)]);
      const message = `\`with\` has no setting ${setting} in its \`properties\``;
      faults.push(faultAt(document, pointer, { code: "VALUE_WRONG", message, ...meant(setting, known) }));
    }
  }
  return faults;
}

/** Whatever stands where a schema is expected and could be one. */
function schemasOf(manifest: Json): [path: string[], schema: JsonObject][] {
  const { config, steps, triggers, provides } = membersOf(manifest);
  const found: [string[], Json | undefined][] = [[["config"], config]];
  for (const [name, step] of Object.entries(membersOf(steps)))
    for (const key of ["input", "output"]) found.push([["steps", name, key], membersOf(step)[key]]);
  for (const [name, trigger] of Object.entries(membersOf(triggers)))
    for (const key of ["with", "input", "event"]) found.push([["triggers", name, key], membersOf(trigger)[key]]);
  for (const [name, service] of Object.entries(membersOf(provides)))
    for (const kind of ["methods", "streams"])
      for (const [member, value] of Object.entries(membersOf(membersOf(service)[kind])))
        for (const key of kind === "methods" ? ["input", "output"] : ["input", "item"])
          found.push([["provides", name, kind, member, key], membersOf(value)[key]]);
  return found.filter((entry): entry is [string[], JsonObject] => isObject(entry[1]));
}

function membersOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
