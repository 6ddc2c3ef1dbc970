// The places for transfers at the same time: who has one, and who waits. Those that had one when the host ended have it
// again.

export class Places {
  readonly #limit: number;
  readonly #taken = new Set<string>();
  /** In order of arrival. */
  readonly #waiting = new Map<string, { resolve(): void; reject(error: unknown): void }>();

  constructor(limit: number, taken: Iterable<string>) {
    this.#limit = limit;
    for (const id of taken) this.#taken.add(id);
  }

  /** Resolves when the upload has a place; it has one already where it had one before. Rejects with the signal's reason. */
  async take(id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken.has(id)) return;
    if (this.#taken.size < this.#limit) {
      this.#taken.add(id);
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.set(id, turn);
    const onAbort = () => this.#leave(id, signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    await turn.promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** These need no place any more; where one waits, that ends with this error. */
  release(isMeant: (id: string) => boolean, error: unknown): void {
    for (const id of [...this.#waiting.keys()].filter(isMeant)) this.#leave(id, error);
    for (const id of [...this.#taken].filter(isMeant)) this.#taken.delete(id);
    this.#admit();
  }

  #leave(id: string, error: unknown): void {
    this.#waiting.get(id)?.reject(error);
    this.#waiting.delete(id);
  }

  #admit(): void {
    for (const [id, turn] of this.#waiting) {
      if (this.#taken.size >= this.#limit) return;
      this.#waiting.delete(id);
      this.#taken.add(id);
      turn.resolve();
    }
  }
}
