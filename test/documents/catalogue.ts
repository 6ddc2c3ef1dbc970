// What the documents of the tests may refer to: the steps and triggers of the plugins in this repository, as their
// manifests declare them.

import { readFileSync } from "node:fs";
import type { VerbCatalogue } from "../../host/documents/catalogue.ts";
import { createVerbCatalogue } from "../../host/loading/verb-catalogue.ts";
import type { JsonObject } from "../../host/sdk.ts";
import type { PluginManifest } from "../../schemas/plugin.types.ts";

const names = ["mqtt", "download", "verify", "script"];

/** With `idle`, these plugins are installed but not enabled. */
export function catalogueOfPlugins({ idle = [] }: { idle?: string[] } = {}): VerbCatalogue {
  return createVerbCatalogue(
    names.map((name) => ({
      manifest: manifestOf(name),
      config: idle.includes(name) ? undefined : defaultsOf(manifestOf(name)),
    })),
  );
}

function manifestOf(name: string): PluginManifest {
  const file = new URL(`../../plugins/${name}/plugin.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as PluginManifest;
}

function defaultsOf({ config }: PluginManifest): JsonObject {
  const { properties = {} } = (config ?? {}) as { properties?: Record<string, JsonObject> };
  const given = Object.entries(properties).filter(([, { default: value }]) => value !== undefined);
  return Object.fromEntries(given.map(([name, { default: value }]) => [name, value!]));
}
