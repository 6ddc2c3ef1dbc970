import { setTimeout as sleep } from "node:timers/promises";

/** Shares a rate among everything that asks: one after the other, each waits until what was granted before has passed. */
export class RateLimit {
  readonly #bytesPerSecond: number;
  /** When everything granted so far has passed (milliseconds of the monotonic clock). */
  #freeAt = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Resolves when this many bytes may pass; rejects with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = performance.now();
    const begin = Math.max(now, this.#freeAt);
    this.#freeAt = begin + (bytes * 1000) / this.#bytesPerSecond;
    if (begin <= now) return;
    await sleep(begin - now, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
