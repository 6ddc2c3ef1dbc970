import type { ManifestService } from "../../schemas/plugin.types.ts";
import type { Service } from "../sdk.ts";

/**
 * What other plugins hold of a service: the methods and streams its manifest names and nothing else. `provider` gives
 * the service at the time of each call, or throws why there is none.
 */
export function createServiceHandle(declared: ManifestService, provider: () => Service): Service {
  const names = [...Object.keys(declared.methods ?? {}), ...Object.keys(declared.streams ?? {})];
  return Object.freeze(
    // Called on the provider's own object, which may be an instance of a class.
    Object.fromEntries(names.map((name) => [name, async (...inputs: unknown[]) => provider()[name]!(...inputs)])),
  );
}
