import { setTimeout as sleep } from "node:timers/promises";
import type { StepContext } from "gantry";

/** Resolves when so many bytes may pass, within the step's own limit and the run's. */
export type Pace = (bytes: number) => Promise<void>;

export function paceOf(bytesPerSecond: number | undefined, context: StepContext): Pace {
  let free = performance.now();
  return async (bytes) => {
    await context.throttle(bytes);
    if (bytesPerSecond === undefined) return;
    free = Math.max(free, performance.now()) + (bytes * 1000) / bytesPerSecond;
    const waitMs = free - performance.now();
    if (waitMs < 1) return;
    await sleep(waitMs, undefined, { signal: context.signal }).catch(() => context.signal.throwIfAborted());
  };
}
