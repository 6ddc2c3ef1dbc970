import type { Config, FetchInput } from "./plugin.types.ts";

/** The most bytes that a file may have whose size nobody knows beforehand. */
export function limitOf({ maxSizeBytes: own }: Pick<FetchInput, "maxSizeBytes">, { maxSizeBytes }: Config): number {
  return own > 0 ? Math.min(own, maxSizeBytes) : maxSizeBytes;
}
