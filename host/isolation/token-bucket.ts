/** Lets `burst` units through at once and `perSecond` in the long run. `now` is in milliseconds. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  constructor(rate: { perSecond: number; burst: number }, now: () => number = () => performance.now()) {
    this.#perSecond = rate.perSecond;
    this.#burst = rate.burst;
    this.#tokens = rate.burst;
    this.#now = now;
    this.#filledAt = now();
  }

  /** Whether there was enough; if not, nothing is taken. */
  take(units = 1): boolean {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    if (units > this.#tokens) return false;
    this.#tokens -= units;
    return true;
  }
}
