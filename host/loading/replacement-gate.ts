/** Where steps and calls of a plugin wait while it is being replaced. */
export class ReplacementGate {
  #replacing: PromiseWithResolvers<void> | undefined;
  #isClosed = false;

  /** What steps wait for. */
  get forSteps(): Promise<void> | undefined {
    return this.#replacing?.promise;
  }

  /** What all else waits for: as long as steps are under way, others may need the plugin to let them end. */
  get forCalls(): Promise<void> | undefined {
    return this.#isClosed ? this.#replacing?.promise : undefined;
  }

  /** Steps wait from now on. */
  holdSteps(): void {
    this.#replacing ??= Promise.withResolvers();
  }

  /** All else waits, too. */
  close(): void {
    this.holdSteps();
    this.#isClosed = true;
  }

  open(): void {
    this.#isClosed = false;
    this.#replacing?.resolve();
    this.#replacing = undefined;
  }
}
