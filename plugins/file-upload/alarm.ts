/** Not longer than this at once: the clock may be set meanwhile. */
const longestMs = 60_000;

/** Does something at a time of the wall clock, one after the other, and looks again whenever it is told to. */
export class Alarm {
  readonly #nextAt: () => Promise<number | undefined>;
  readonly #act: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  /** `nextAt` gives epoch milliseconds, or undefined for never. Neither rejects. */
  constructor(nextAt: () => Promise<number | undefined>, act: () => Promise<void>) {
    this.#nextAt = nextAt;
    this.#act = act;
  }

  readonly look = (): void => {
    clearTimeout(this.#timer);
    if (this.#looking !== undefined) {
      this.#again = true;
      return;
    }
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.look();
    });
  };

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#stopped) {
      const at = await this.#nextAt();
      if (at === undefined || this.#stopped) return;
      const waitMs = at - Date.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(this.look, Math.min(waitMs, longestMs));
        return;
      }
      await this.#act();
    }
  }
}
