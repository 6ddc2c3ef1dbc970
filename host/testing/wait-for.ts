import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks until the answer is neither undefined, null nor false, and gives it. Rejects after `timeoutMs` (60,000 if nothing
 * else is said) with `words`, which say what was awaited.
 */
export async function waitFor<Value>(
  words: string | (() => string),
  ask: () => Value | Promise<Value>,
  timeoutMs = 60_000,
): Promise<Exclude<Value, undefined | null | false>> {
  for (const end = performance.now() + timeoutMs; ; ) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null)
      return answer as Exclude<Value, undefined | null | false>;
    if (performance.now() > end) throw new Error(`waited in vain for: ${typeof words === "string" ? words : words()}`);
    await sleep(10);
  }
}
