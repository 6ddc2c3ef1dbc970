/** Lets those that wait for room in a queue in, as many as fit and in the order in which they came. */
export class Room {
  readonly #free: () => number;
  #waiting: (() => void)[] = [];
  /** On their way into the queue, which does not count them yet. */
  #entering = 0;

  constructor(free: () => number) {
    this.#free = free;
  }

  /** Puts something in once there is room. */
  async enter(put: () => Promise<void>): Promise<void> {
    if (this.#waiting.length > 0 || this.#free() <= this.#entering)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#entering += 1;
    try {
      await put();
    } finally {
      this.#entering -= 1;
      this.look();
    }
  }

  /** There may be room now. */
  look(): void {
    const count = Math.max(0, Math.min(this.#waiting.length, this.#free() - this.#entering));
    this.#entering += count;
    for (const admit of this.#waiting.splice(0, count)) admit();
  }
}
