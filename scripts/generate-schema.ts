// Writes the JSON Schema by which editors complete and check the documents we ship: the one that `gantry schema` gives
// where all of Gantry's own plugins are enabled. With --check nothing is written, and the exit code says whether it is up
// to date.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseDocument } from "../host/documents/document.ts";
import { formatDocument } from "../host/editing/format.ts";
import { workflowSchema } from "../host/editing/workflow-schema.ts";
import { builtInNames, hostPlugin } from "../host/loading/locate-plugin.ts";
import { createVerbCatalogue } from "../host/loading/verb-catalogue.ts";
import type { PluginManifest } from "../schemas/plugin.types.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const file = `${root}schemas/workflow-documents.schema.json`;
const folders = [hostPlugin.directory, ...builtInNames().map((name) => `${root}plugins/${name}`)];
const manifests = folders.map((folder) => JSON.parse(readFileSync(`${folder}/plugin.json`, "utf8")) as PluginManifest);
const schema = workflowSchema(
  createVerbCatalogue(manifests.map((manifest) => ({ manifest, builtIn: true, config: {} }))),
);
const text = formatDocument(parseDocument(file, JSON.stringify(schema)).document!);

if (!process.argv.includes("--check")) writeFileSync(file, text);
else if (readFileSync(file, "utf8") !== text) {
  console.error("schemas/workflow-documents.schema.json is not up to date; run `npm run generate`");
  process.exit(1);
}
