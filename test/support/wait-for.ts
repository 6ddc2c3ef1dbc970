import { setTimeout as sleep } from "node:timers/promises";

/** Asks until the answer is neither undefined nor false; the words say in a failure what was awaited. */
export async function waitFor<Value>(
  words: string,
  ask: () => Value | Promise<Value>,
  timeoutMs = 30_000,
): Promise<Exclude<Value, undefined | null | false>> {
  for (const end = Date.now() + timeoutMs; ; ) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null)
      return answer as Exclude<Value, undefined | null | false>;
    if (Date.now() > end) throw new Error(`waited in vain for: ${words}`);
    await sleep(10);
  }
}
