import { setTimeout as sleep } from "node:timers/promises";

/** The longest time a timer of Node takes; a longer one would end at once. */
const longestMs = 2 ** 31 - 1;

/** Resolves after that time, or as soon as `signal` is aborted. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + durationMs;
  for (let leftMs = durationMs; leftMs > 0 && !signal.aborted; leftMs = end - performance.now())
    await sleep(Math.min(leftMs, longestMs), undefined, { signal }).catch(() => {});
}
