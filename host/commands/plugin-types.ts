// gantry plugin types: TypeScript types from the schemas of a plugin.json.

import { realpathSync } from "node:fs";
import { relative, resolve } from "node:path";
import { GantryError } from "../errors.ts";
import { readManifest } from "../loading/read-manifest.ts";
import { areTypesCurrent, typesFile, writeTypes } from "../scaffold/write-types.ts";

export interface PluginTypesOptions {
  /** Writes nothing, and gives 1 where the types are not those of the manifest. */
  check: boolean;
}

/** Rejects with PLUGIN_MANIFEST_BROKEN or PLUGIN_TYPES_FAILED. */
export async function pluginTypes(folder: string, { check }: PluginTypesOptions): Promise<number> {
  const directory = existing(folder);
  const { manifest, faults } = readManifest(directory, false);
  if (manifest === undefined) {
    const [first] = faults;
    const why = first === undefined ? "" : `: ${first.message} (line ${first.line}, column ${first.column})`;
    throw new GantryError("PLUGIN_MANIFEST_BROKEN", `${relative("", directory) || "."}/plugin.json has faults${why}`);
  }
  const shown = relative("", typesFile(directory, manifest));
  if (check) {
    if (await areTypesCurrent(directory, manifest)) return 0;
    process.stderr.write(`${shown} is not up to date; \`gantry plugin types ${folder}\` writes it\n`);
    return 1;
  }
  const { changed } = await writeTypes(directory, manifest);
  process.stdout.write(`${shown} ${changed ? "is written" : "is as it should be"}\n`);
  return 0;
}

function existing(folder: string): string {
  try {
    return realpathSync(resolve(folder));
  } catch {
    throw new GantryError("PLUGIN_MANIFEST_BROKEN", `there is no folder ${folder}`);
  }
}
