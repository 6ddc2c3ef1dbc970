// The `config` of one entry of plugins.json, held against the manifest's schema.

import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { pointerTo } from "../documents/pointer.ts";
import { compileForeign, compileSchema, type SchemaProblem } from "../documents/schema-check.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { isSecretReference, type SecretReference } from "../secrets.ts";

export interface ConfigReading {
  /** With the schema's defaults and without ignored names; secrets are references. */
  config: JsonObject;
  /** Pointers start at `config`. */
  problems: SchemaProblem[];
  /** Names that were given and have no use. */
  ignored: string[];
}

/** `trusted`: the plugin is one of Gantry's own, and its schema need not be watched. */
export function readConfig(given: JsonObject, manifest: PluginManifest, trusted: boolean): ConfigReading {
  const ignored = Object.keys(given).filter((name) => isIgnored(name, manifest));
  const used = Object.fromEntries(Object.entries(given).filter(([name]) => !ignored.includes(name)));
  const config = structuredClone(used);
  const secrets = takeSecrets(config, "");
  const compile = trusted ? compileSchema : compileForeign;
  const problems = compile(closed(manifest.config as JsonObject | undefined), { defaults: true })(config);
  for (const { holder, key, reference } of secrets.values()) (holder as JsonObject)[key] = reference as unknown as Json;
  // Only its kind is known of a secret, so a pattern or length cannot be held against it.
  const isSeen = ({ pointer, keyword, property }: SchemaProblem) =>
    !secrets.has(pointer) || keyword === "type" || property !== undefined;
  return { config, problems: problems.filter(isSeen), ignored };
}

function isIgnored(name: string, { config, ignoredConfig = [] }: PluginManifest): boolean {
  const known = (config as { properties?: object } | undefined)?.properties ?? {};
  return ignoredConfig.includes(name) && !Object.hasOwn(known, name);
}

/** Names that a schema does not mention are mistakes, whether its author thought of saying so or not. */
export function closed(schema: JsonObject = {}): JsonObject {
  if ("additionalProperties" in schema || "unevaluatedProperties" in schema) return schema;
  const isComposed = ["$ref", "allOf", "anyOf", "oneOf", "if"].some((keyword) => keyword in schema);
  return { type: "object", ...schema, [isComposed ? "unevaluatedProperties" : "additionalProperties"]: false };
}

interface TakenSecret {
  holder: object;
  key: string;
  reference: SecretReference;
}

/** Puts a text in the place of each secret, so that the schema sees the kind of value the plugin will read. */
function takeSecrets(value: Json, pointer: string, taken = new Map<string, TakenSecret>()): Map<string, TakenSecret> {
  if (typeof value !== "object" || value === null) return taken;
  for (const [key, member] of Object.entries(value)) {
    const place = `${pointer}${pointerTo([key])}`;
    if (isSecretReference(member)) {
      taken.set(place, { holder: value, key, reference: member });
      (value as JsonObject)[key] = "secret";
    } else takeSecrets(member as Json, place, taken);
  }
  return taken;
}
