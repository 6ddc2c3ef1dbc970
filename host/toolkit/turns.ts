// Two runs that want the same path at the same time would write into one another's work: the second waits.

export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Does the work once all earlier work at this path is over, and tells it whether there was any; rejects with the
   * signal's reason if that comes first.
   */
  async take<Value>(path: string, signal: AbortSignal, work: (waited: boolean) => Promise<Value>): Promise<Value> {
    const waited = this.#last.has(path);
    const before = this.#last.get(path) ?? Promise.resolve();
    const { promise: over, resolve: leave } = Promise.withResolvers<void>();
    // Whoever comes next waits for those before as well, also when this one gives up waiting.
    const turn = before.then(() => over);
    this.#last.set(path, turn);
    try {
      await untilAborted(before, signal);
      return await work(waited);
    } finally {
      leave();
      if (this.#last.get(path) === turn) void turn.then(() => this.#last.get(path) === turn && this.#last.delete(path));
    }
  }
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([wait, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
