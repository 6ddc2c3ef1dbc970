// The folder of a new plugin: manifest, typed code, test and README, whole or not at all.

import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { GantryError } from "../errors.ts";
import { builtInNames, hostPlugin } from "../loading/locate-plugin.ts";
import { PLUGIN_API_VERSION } from "../sdk.ts";
import { packageFiles } from "./package-files.ts";
import { serviceTemplate } from "./templates/service.ts";
import { stepTemplate } from "./templates/step.ts";
import type { Facts, Kind, Language, Template } from "./templates/template.ts";
import { triggerTemplate } from "./templates/trigger.ts";
import { writeTypes } from "./write-types.ts";

export interface NewPlugin {
  name: string;
  kind: Kind;
  language: Language;
  /** Absolute; made with the folders it lies in. */
  folder: string;
}

const templates: Record<Kind, (facts: Facts) => Template> = {
  step: stepTemplate,
  trigger: triggerTemplate,
  service: serviceTemplate,
};

/** Gives the paths of what it has written. Rejects with PLUGIN_NAME_INVALID, FOLDER_TAKEN or FOLDER_UNWRITABLE. */
export async function makePlugin({ name, kind, language, folder }: NewPlugin): Promise<string[]> {
  checkName(name);
  const isTypescript = language === "typescript";
  const facts: Facts = {
    name,
    prefix: name.toUpperCase().replaceAll("-", "_"),
    pascal: name.replaceAll(/(?:^|-+)([a-z0-9]?)/g, (_, letter: string) => letter.toUpperCase()),
    extension: isTypescript ? "ts" : "js",
    types: isTypescript ? "plugin.types.ts" : "plugin.types.d.ts",
  };
  const { manifest, files, readme } = templates[kind](facts);
  const whole = {
    ...schemaFrom(folder),
    name,
    version: "0.1.0",
    host: `^${PLUGIN_API_VERSION}`,
    main: `index.${facts.extension}`,
    ...manifest,
  };
  const all = { "plugin.json": json(whole), ...files, ...packageFiles(facts, readme) };
  await checkPlace(folder);
  const parent = dirname(folder);
  const unwritable = (cause: unknown) => {
    throw new GantryError("FOLDER_UNWRITABLE", `${folder} cannot be made: ${(cause as Error).message}`, { cause });
  };
  await mkdir(parent, { recursive: true }).catch(unwritable);
  const begun = await mkdtemp(join(parent, `.${name}-`)).catch(unwritable);
  try {
    for (const [path, text] of Object.entries(all)) {
      await mkdir(dirname(join(begun, path)), { recursive: true });
      await writeFile(join(begun, path), text);
    }
    const { file } = await writeTypes(begun, whole as unknown as PluginManifest);
    // It was made for nobody else to see.
    await chmod(begun, 0o755);
    await rename(begun, folder);
    return [...Object.keys(all), relative(begun, file)].sort();
  } catch (error) {
    await rm(begun, { recursive: true, force: true });
    if (error instanceof GantryError) throw error;
    return unwritable(error);
  }
}

/** The folder of the package `gantry` that code in this folder would import, if there is one. */
export function gantryFor(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = join(at, "node_modules", "gantry");
    if (existsSync(join(found, "package.json"))) return found;
    if (dirname(at) === at) return undefined;
  }
}

function checkName(name: string): void {
  if (!/^[a-z][a-z0-9-]*$/.test(name) || name.length > 60)
    throw new GantryError("PLUGIN_NAME_INVALID", `"${name}" cannot be a plugin's name`);
  if (name === hostPlugin.name || builtInNames().includes(name))
    throw new GantryError("PLUGIN_NAME_TAKEN", `Gantry has a plugin named ${name} of its own`);
}

async function checkPlace(folder: string): Promise<void> {
  const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    // Either it is a file, or one that it would lie in is.
    if (error.code === "ENOTDIR" && existsSync(folder)) return [""];
    throw new GantryError("FOLDER_UNWRITABLE", `${folder} cannot be looked at: ${error.message}`, { cause: error });
  });
  if (there.length > 0) throw new GantryError("FOLDER_TAKEN", `${folder} is there already`);
}

/** Where an editor finds the manifest's schema. */
function schemaFrom(folder: string): { $schema?: string } {
  const gantry = gantryFor(dirname(folder));
  if (gantry === undefined) return {};
  return { $schema: relative(folder, join(gantry, "schemas", "plugin.schema.json")) };
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
