import type { Clock } from "../clock.ts";
import { GantryError } from "../errors.ts";

/** How often the process of one plugin has failed, and why it did last. */
export class ProcessFailures {
  readonly #limit: { most: number; withinMs: number };
  readonly #clock: Clock;
  /** When it failed, as far as that still counts. */
  #times: number[] = [];
  #restarts = 0;
  #last: { code: string; message: string; at: string } | undefined;

  constructor(limit: { most: number; withinMs: number }, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Gives how many failures count now. */
  add({ code, message }: GantryError): number {
    const now = this.#clock.now();
    this.#last = { code, message, at: new Date(now).toISOString() };
    this.#times = [...this.#times.filter((at) => at > now - this.#limit.withinMs), now];
    if (!this.areTooMany) this.#restarts += 1;
    return this.#times.length;
  }

  /** Whether it is to be started no more. */
  get areTooMany(): boolean {
    return this.#times.length >= this.#limit.most;
  }

  /** Somebody has started it again, and knows why. */
  forget(): void {
    this.#times = [];
  }

  get told(): { restarts: number; lastError?: { code: string; message: string; at: string } } {
    return { restarts: this.#restarts, ...(this.#last === undefined ? {} : { lastError: this.#last }) };
  }
}

const processFailures = ["PLUGIN_CRASHED", "PLUGIN_UNRESPONSIVE", "PLUGIN_MEMORY", "PLUGIN_PROTOCOL", "PLUGIN_FLOOD"];

// A plugin may fail with any code, but only the host makes errors of this kind.
export const isProcessFailure = (error: unknown): error is GantryError =>
  error instanceof GantryError && processFailures.includes(error.code);
