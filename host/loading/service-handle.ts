import type { ManifestService } from "../../schemas/plugin.types.ts";
import type { Service, Stop } from "../sdk.ts";
import type { StandingCalls } from "./standing.ts";

/** A service behind the handles that others hold. */
export interface ServiceSource {
  /** The service at the time of a call; throws why there is none. */
  current(): Service;
  /** What calls wait for while its plugin is being replaced. */
  closed(): Promise<void> | undefined;
  standing: StandingCalls;
}

/** What other plugins hold of a service: the methods and streams its manifest names and nothing else. */
export function createServiceHandle(declared: ManifestService, source: ServiceSource): Service {
  const { standing } = source;
  // Called on the provider's own object, which may be an instance of a class.
  const call = (name: string) => (inputs: unknown[]) => {
    if (source.closed() === undefined) return source.current()[name]!(...inputs);
    return later(name, inputs);
  };
  const later = async (name: string, inputs: unknown[]): Promise<unknown> => {
    for (let closed = source.closed(); closed !== undefined; closed = source.closed()) await closed;
    return source.current()[name]!(...inputs);
  };
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
