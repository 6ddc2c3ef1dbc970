// gantry plugin new: the beginning of a plugin. It asks nothing.

import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gantryFor, makePlugin } from "../scaffold/new-plugin.ts";
import type { Kind, Language } from "../scaffold/templates/template.ts";

export interface PluginNewOptions {
  kind: Kind;
  language: Language;
  /** The folder that it gets a folder in. */
  in: string;
  json: boolean;
}

/** Rejects as `makePlugin`. */
export async function pluginNew(name: string, { kind, language, json, ...options }: PluginNewOptions): Promise<number> {
  const folder = resolve(options.in, name);
  const files = await makePlugin({ name, kind, language, folder });
  if (json) {
    process.stdout.write(`${JSON.stringify({ name, kind, language, folder, files })}\n`);
    return 0;
  }
  const shown = relative(process.cwd(), folder) || ".";
  const lines = [
    `${shown} has a plugin with a ${kind}:`,
    ...files.map((file) => `  ${file}`),
    "",
    ...(gantryFor(folder) === undefined ? [missingGantry()] : []),
    `its entry in plugins.json:  { "plugin": "./${join(options.in, name)}" }`,
    `its tests:                  npm test --prefix ${shown}`,
    "a host that follows it:     gantry dev",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}

/** Its test and its types import the package; a host gives it to the plugin by itself. */
function missingGantry(): string {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  return `its test and its types need: npm install --save-dev ${root}`;
}
