import type { PluginManifest } from "../../schemas/plugin.types.ts";
import type { StepEntry, TriggerEntry, VerbCatalogue } from "../documents/catalogue.ts";
import type { JsonObject } from "../sdk.ts";
import { withoutSecrets } from "../secrets.ts";

/** What documents may refer to; `config` is undefined for a plugin that is installed but not enabled. */
export function createVerbCatalogue(
  plugins: readonly { manifest: PluginManifest; config: JsonObject | undefined }[],
): VerbCatalogue {
  const steps = new Map<string, StepEntry>();
  const triggers = new Map<string, TriggerEntry>();
  const configs: JsonObject = {};
  for (const { manifest, config } of plugins) {
    const shared = { plugin: manifest.name, active: config !== undefined };
    for (const [name, { description, input, output }] of Object.entries(manifest.steps ?? {}))
      steps.set(`${manifest.name}/${name}`, {
        ...shared,
        description,
        input: input as JsonObject,
        output: output as JsonObject | undefined,
      });
    for (const [name, { description, with: settings, input, event }] of Object.entries(manifest.triggers ?? {}))
      triggers.set(`${manifest.name}/${name}`, {
        ...shared,
        description,
        with: settings as JsonObject | undefined,
        input: input as JsonObject | undefined,
        event: event as JsonObject | undefined,
      });
    if (config !== undefined) configs[manifest.name] = withoutSecrets(config);
  }
  return { steps, triggers, config: configs };
}
