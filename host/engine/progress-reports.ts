import type { Progress } from "../sdk.ts";

/** The shortest time between two reports. */
const minIntervalMs = 500;

/**
 * Thins out what a step reports: one report at a time, not more often than the interval, the newest each time, and the
 * last one always.
 */
export class ProgressReports {
  readonly #send: (progress: Progress) => Promise<void>;
  #next: Progress | undefined;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  #isOver = false;

  /** `send` never rejects. */
  constructor(send: (progress: Progress) => Promise<void>) {
    this.#send = send;
  }

  report(progress: Progress): void {
    if (this.#isOver) return;
    this.#next = progress;
    this.#plan();
  }

  #plan(): void {
    if (this.#sending !== undefined || this.#timer !== undefined) return;
    const waitMs = this.#sentAt + minIntervalMs - performance.now();
    if (waitMs <= 0) this.#sendNext();
    else this.#timer = setTimeout(() => this.#sendNext(), waitMs);
  }

  /** Resolves once the last report has been sent; what comes afterwards is none. */
  async finish(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    while (this.#sending !== undefined || this.#next !== undefined) {
      if (this.#sending === undefined) this.#sendNext();
      await this.#sending;
    }
  }

  /** What has not been sent yet never is. */
  drop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#next = undefined;
  }

  #sendNext(): void {
    this.#timer = undefined;
    const progress = this.#next;
    if (progress === undefined) return;
    this.#next = undefined;
    this.#sentAt = performance.now();
    this.#sending = this.#send(progress).finally(() => {
      this.#sending = undefined;
      if (this.#next !== undefined && !this.#isOver) this.#plan();
    });
  }
}
