import type { PluginManifest } from "../../schemas/plugin.types.ts";
import type { StepEntry, TriggerEntry, VerbCatalogue } from "../documents/catalogue.ts";
import { secretShape } from "../documents/shapes.ts";
import type { JsonObject } from "../sdk.ts";
import { isSecretReference, withoutSecrets } from "../secrets.ts";
import { closed } from "./read-config.ts";

/** What documents may refer to; `config` is undefined for a plugin that is installed but not enabled. */
export function createVerbCatalogue(
  plugins: readonly { manifest: PluginManifest; builtIn: boolean; config: JsonObject | undefined }[],
): VerbCatalogue {
  const steps = new Map<string, StepEntry>();
  const triggers = new Map<string, TriggerEntry>();
  const configs: JsonObject = {};
  const configSchemas = new Map<string, JsonObject>();
  for (const { manifest, builtIn, config } of plugins) {
    const shared = { plugin: manifest.name, active: config !== undefined, trusted: builtIn };
    for (const [name, { description, input, output }] of Object.entries(manifest.steps ?? {}))
      steps.set(`${manifest.name}/${name}`, {
        ...shared,
        description,
        input: input as JsonObject,
        output: output as JsonObject | undefined,
      });
    for (const [name, { description, with: settings, input, event, command }] of Object.entries(
      manifest.triggers ?? {},
    ))
      triggers.set(`${manifest.name}/${name}`, {
        ...shared,
        description,
        with: settings as JsonObject | undefined,
        input: input as JsonObject | undefined,
        event: event as JsonObject | undefined,
        command,
      });
    if (config === undefined) continue;
    configs[manifest.name] = withoutSecrets(config);
    configSchemas.set(manifest.name, readableConfig(closed(manifest.config as JsonObject | undefined), config));
  }
  return { steps, triggers, config: configs, configSchemas };
}

/** What expressions may read of a configuration: its secrets they never see. */
function readableConfig(schema: JsonObject, config: JsonObject): JsonObject {
  const secrets = Object.keys(config).filter((name) => isSecretReference(config[name]));
  if (secrets.length === 0) return schema;
  const hidden = Object.fromEntries(secrets.map((name) => [name, secretShape]));
  return { ...schema, properties: { ...(schema.properties as JsonObject | undefined), ...hidden } };
}
