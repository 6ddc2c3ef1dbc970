import { setTimeout as sleep } from "node:timers/promises";

/** Asks until the answer is neither undefined nor false; the words say in a failure what was awaited. */
export async function waitFor<Value>(
  words: string,
  ask: () => Value | Promise<Value>,
  timeoutMs = 30_000,
): Promise<NonNullable<Value>> {
  for (const end = Date.now() + timeoutMs; ; ) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null) return answer as NonNullable<Value>;
    if (Date.now() > end) throw new Error(`waited in vain for: ${words}`);
    await sleep(10);
  }
}
