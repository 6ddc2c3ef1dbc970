import { PluginError } from "gantry";
import type { FeatureAddress } from "./service.ts";
import { isThingId } from "./thing-id.ts";

/** Names a feature in the host's store and in maps, over changes of the device's identity. */
export function keyOf({ thing, feature }: FeatureAddress): string {
  return `${thing ?? ""}/${feature}`;
}

/** The other way round. */
export function addressOf(key: string): FeatureAddress {
  const slash = key.lastIndexOf("/");
  const thing = key.slice(0, slash);
  return { ...(thing === "" ? {} : { thing }), feature: key.slice(slash + 1) };
}

/** Throws THINGS_FEATURE_INVALID. */
export function checkAddress({ thing, feature }: FeatureAddress): void {
  // What a path of an envelope, and a level of a topic, cannot hold.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: names must not hold them
  if (typeof feature !== "string" || !/^[^/\x00-\x1f\x7f]+$/.test(feature) || !feature.isWellFormed())
    throw invalid(`a feature cannot be called ${JSON.stringify(feature)}`);
  if (thing === undefined) return;
  const example = typeof thing === "string" ? thing.replaceAll("{deviceId}", "namespace:name") : "";
  if (!isThingId(example) || /[+#]/.test(example)) throw invalid(`a thing cannot be called ${JSON.stringify(thing)}`);
}

function invalid(text: string): PluginError {
  return new PluginError("THINGS_FEATURE_INVALID", text);
}
