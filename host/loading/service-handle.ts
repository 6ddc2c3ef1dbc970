import type { ManifestService } from "../../schemas/plugin.types.ts";
import type { Service, Stop } from "../sdk.ts";
import type { StandingCalls } from "./standing.ts";

/**
 * What other plugins hold of a service: the methods and streams its manifest names and nothing else. `provider` gives
 * the service at the time of each call, or throws why there is none; subscriptions are kept in `standing`.
 */
export function createServiceHandle(
  declared: ManifestService,
  provider: () => Service,
  standing: StandingCalls,
): Service {
  // Called on the provider's own object, which may be an instance of a class.
  const call = (name: string) => (inputs: unknown[]) => provider()[name]!(...inputs);
  const methods = Object.keys(declared.methods ?? {}).map((name) => {
    const method = call(name);
    return [name, async (...inputs: unknown[]) => method(inputs)] as const;
  });
  const streams = Object.keys(declared.streams ?? {}).map((name) => {
    const stream = call(name);
    return [
      name,
      async (...inputs: unknown[]) => standing.begin(() => stream(inputs) as Stop | Promise<Stop>),
    ] as const;
  });
  return Object.freeze(Object.fromEntries([...methods, ...streams]));
}
