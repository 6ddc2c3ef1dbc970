// What the documents of the tests may refer to: the steps and triggers of the plugins in this repository, as their
// manifests declare them, and the workflows in fixtures/sound/called.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { VerbCatalogue } from "../../host/documents/catalogue.ts";
import { type Document, readDocument } from "../../host/documents/document.ts";
import { callableByName } from "../../host/loading/called-workflows.ts";
import { createVerbCatalogue } from "../../host/loading/verb-catalogue.ts";
import type { JsonObject } from "../../host/sdk.ts";
import type { PluginManifest } from "../../schemas/plugin.types.ts";

const folders = readdirSync(fileURLToPath(new URL("../../plugins/", import.meta.url)));
const names = ["host", ...folders];

/** With `idle`, these plugins are installed but not enabled. */
export function catalogueOfPlugins({ idle = [] }: { idle?: string[] } = {}): VerbCatalogue {
  return createVerbCatalogue(
    names.map((name) => ({
      manifest: manifestOf(name),
      builtIn: true,
      config: idle.includes(name) ? undefined : defaultsOf(manifestOf(name)),
    })),
  );
}

const called = fileURLToPath(new URL("../fixtures/sound/called/", import.meta.url));
const beside = readdirSync(called).map((name) => readDocument(`${called}${name}`).document);

/** The same, for a document beside which the fixtures lie that it may call. */
export function catalogueAround(document: Document): VerbCatalogue {
  return { ...catalogueOfPlugins(), workflows: callableByName([document, ...beside]) };
}

function manifestOf(name: string): PluginManifest {
  const folder = name === "host" ? "host/builtin" : `plugins/${name}`;
  const file = new URL(`../../${folder}/plugin.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as PluginManifest;
}

function defaultsOf({ config }: PluginManifest): JsonObject {
  const { properties = {} } = (config ?? {}) as { properties?: Record<string, JsonObject> };
  const given = Object.entries(properties).filter(([, { default: value }]) => value !== undefined);
  return Object.fromEntries(given.map(([name, { default: value }]) => [name, value!]));
}
