import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { GantryError } from "../errors.ts";
import { typesOfPlugin } from "./plugin-types.ts";

const head = "// Written by `gantry plugin types`; do not edit.\n\n";

/** The module of a plugin's types: code beside TypeScript, a declaration beside JavaScript. */
export function typesFile(directory: string, { main }: Pick<PluginManifest, "main">): string {
  return join(directory, main.endsWith("ts") ? "plugin.types.ts" : "plugin.types.d.ts");
}

/**
 * Writes the types of what the manifest describes beside it, if they are not there already. Rejects with
 * PLUGIN_TYPES_FAILED where a schema has none, and with why the file cannot be written.
 */
export async function writeTypes(
  directory: string,
  manifest: PluginManifest,
): Promise<{ file: string; changed: boolean }> {
  const file = typesFile(directory, manifest);
  const text = await textOf(manifest);
  if (existsSync(file) && (await readFile(file, "utf8")) === text) return { file, changed: false };
  await writeFile(file, text);
  return { file, changed: true };
}

/** Whether the types are there as `writeTypes` would write them. */
export async function areTypesCurrent(directory: string, manifest: PluginManifest): Promise<boolean> {
  const file = typesFile(directory, manifest);
  return existsSync(file) && (await readFile(file, "utf8")) === (await textOf(manifest));
}

/** Brings the types up to date where this command has written them. */
export async function refreshTypes(directory: string, manifest: PluginManifest): Promise<void> {
  const file = typesFile(directory, manifest);
  if (existsSync(file) && (await readFile(file, "utf8")).startsWith(head)) await writeTypes(directory, manifest);
}

async function textOf(manifest: PluginManifest): Promise<string> {
  try {
    return `${head}${await typesOfPlugin(manifest)}`;
  } catch (cause) {
    const why = (cause as Error).message.split("\n")[0];
    throw new GantryError("PLUGIN_TYPES_FAILED", `${manifest.name}: a schema has no types: ${why}`, { cause });
  }
}
