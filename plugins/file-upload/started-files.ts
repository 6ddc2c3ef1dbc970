// The files that a hub has started and that have not ended: when something was last heard of each, and whether they are
// so many that the hub should not be asked for more.

/** So many are requested at once. */
export const pageFiles = 200;
/** No page goes out while so many are started: each is a run, and costs memory. */
const fewFiles = 100;
/** A hub that starts nothing for so long does not start files as soon as it is asked for them. */
const promptWithinMs = 1000;

export class StartedFiles {
  readonly #heardAt = new Map<string, number>();
  readonly #listeners = new Set<(started?: string) => void>();

  /** It has been started, or goes on. */
  hear(id: string): void {
    const isNew = !this.#heardAt.has(id);
    this.#heardAt.set(id, Date.now());
    if (isNew) for (const listener of this.#listeners) listener(id);
  }

  /** Epoch milliseconds; 0: never. */
  heardAt(id: string): number {
    return this.#heardAt.get(id) ?? 0;
  }

  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#heardAt.delete(id);
    for (const listener of this.#listeners) listener();
  }

  forgetAll(isMeant: (id: string) => boolean): void {
    this.forget([...this.#heardAt.keys()].filter(isMeant));
  }

  /** To be called before these files are requested. */
  page(files: Iterable<string>): RequestedPage {
    return new RequestedPage(new Set(files), this.#heardAt, this.#listeners);
  }
}

/** Files that the hub is asked for together. */
export class RequestedPage implements Disposable {
  readonly #notStarted: Set<string>;
  readonly #started: ReadonlyMap<string, number>;
  readonly #listeners: Set<(started?: string) => void>;
  /** When the hub last started a file. */
  #lastAt = performance.now();
  #onChange: () => void = () => {};

  constructor(files: Set<string>, started: ReadonlyMap<string, number>, listeners: Set<(started?: string) => void>) {
    this.#notStarted = files;
    this.#started = started;
    this.#listeners = listeners;
    listeners.add(this.#listener);
  }

  readonly #listener = (started?: string): void => {
    if (started !== undefined) {
      this.#lastAt = performance.now();
      this.#notStarted.delete(started);
    }
    this.#onChange();
  };

  [Symbol.dispose](): void {
    this.#listeners.delete(this.#listener);
  }

  /**
   * Resolves when the next page may follow. A hub that starts files as soon as it is asked for them gets no more of them
   * than are uploaded; another one need not have started any. Rejects with the signal's reason.
   */
  async done(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const silentInMs = this.#notStarted.size === 0 ? 0 : this.#lastAt + promptWithinMs - performance.now();
      if (silentInMs <= 0 && this.#started.size < fewFiles) return;
      await this.#change(signal, silentInMs > 0 ? silentInMs : undefined);
    }
  }

  async #change(signal: AbortSignal, withinMs: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
    this.#onChange = resolve;
    signal.addEventListener("abort", resolve as () => void, { once: true });
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", resolve as () => void);
  }
}
