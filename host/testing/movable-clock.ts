import type { Clock } from "../clock.ts";

interface Waiting {
  /** By `passed`. */
  at: number;
  work: () => void;
  timer: NodeJS.Timeout | undefined;
}

/** A clock that goes as the system's does and, when told to, jumps ahead: what was waiting for that time is called. */
export class MovableClock implements Clock {
  #aheadMs: number;
  readonly #waiting = new Set<Waiting>();

  constructor(aheadMs = 0) {
    this.#aheadMs = aheadMs;
  }

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  passed(): number {
    return performance.now() + this.#aheadMs;
  }

  after(durationMs: number, work: () => void): () => void {
    const waiting: Waiting = { at: this.passed() + durationMs, work, timer: undefined };
    this.#waiting.add(waiting);
    this.#wind(waiting);
    return () => {
      clearTimeout(waiting.timer);
      this.#waiting.delete(waiting);
    };
  }

  /** What comes due on the way is called in the order of its time, after this call. */
  advance(durationMs: number): void {
    this.#aheadMs += durationMs;
    for (const waiting of [...this.#waiting].sort((one, other) => one.at - other.at)) this.#wind(waiting);
  }

  #wind(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    const call = () => {
      this.#waiting.delete(waiting);
      waiting.work();
    };
    waiting.timer = setTimeout(call, Math.max(0, waiting.at - this.passed()));
  }
}
