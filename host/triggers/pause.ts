import { type Clock, systemClock } from "../clock.ts";

/** The longest time a timer of Node takes; a longer one would end at once. */
const longestMs = 2 ** 31 - 1;

/** Resolves after that time, or as soon as `signal` is aborted. */
export async function pause(durationMs: number, signal: AbortSignal, clock: Clock = systemClock): Promise<void> {
  const end = clock.passed() + durationMs;
  for (let leftMs = durationMs; leftMs > 0 && !signal.aborted; leftMs = end - clock.passed())
    await new Promise<void>((resolve) => {
      const over = () => {
        signal.removeEventListener("abort", over);
        callOff();
        resolve();
      };
      const callOff = clock.after(Math.min(leftMs, longestMs), over);
      signal.addEventListener("abort", over, { once: true });
    });
}
