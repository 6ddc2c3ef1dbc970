// Signals: what is said from outside while runs go on. Each is stored before anyone hears of it, so that one that was
// sent is not lost; whoever waits takes it, and one that came too early is kept for a minute.

import { type Clock, systemClock } from "../clock.ts";
import { GantryError } from "../errors.ts";
import type { Json } from "../sdk.ts";
import type { Signal, Signals as SignalStore } from "../store/store.ts";
import { earlySignalMs } from "./plan-wait.ts";

/** What has become of a signal. */
export interface Received {
  received: boolean;
  /** How many runs it ended that had not begun. */
  queued: number;
}

export type { Signal };

/** What ends a run, or a part of one, that listens for this signal with `abortOn`. */
export const abortedBy = ({ name, value }: Signal) =>
  new GantryError("ABORTED", `the signal ${name} came`, { details: { signal: name, value } });

/** How many runs have taken a signal, and how many of them had not begun (it ended those). */
export interface Taken {
  runs: number;
  queued: number;
}

/** One that signals may concern. */
export interface SignalListener {
  /** Takes the signal where it waits for it or has taken it before; gives how many runs have. */
  takeSignal(signal: Signal): Taken;
}

export class Signals {
  readonly #store: SignalStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<SignalListener>();
  /** The stored ones, oldest first. */
  #recent: Signal[];

  constructor(store: SignalStore, clock: Clock = systemClock) {
    this.#store = store;
    this.#clock = clock;
    this.#recent = store.since(0);
  }

  add(listener: SignalListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: SignalListener): void {
    this.#listeners.delete(listener);
  }

  /** Those of this name that came at `since` or later, oldest first. */
  recent(name: string, since: number): Signal[] {
    return this.#recent.filter((signal) => signal.name === name && signal.at >= since);
  }

  /** `id` is the same for every repetition. `received`: whether someone was waiting for it. */
  async send({ id, name, value }: { id: string; name: string; value: Json }): Promise<Received> {
    const signal: Signal = { id, name, value, at: this.#clock.now() };
    const forgetBefore = signal.at - earlySignalMs;
    if ((await this.#store.put(signal, forgetBefore)) === "stored") {
      // A clock that was set back must not keep what is long over.
      this.#recent = this.#recent.filter(({ at }) => at >= forgetBefore && at <= signal.at + earlySignalMs);
      this.#recent.push(signal);
    }
    const taken = [...this.#listeners].map((listener) => listener.takeSignal(signal));
    return { received: taken.some(({ runs }) => runs > 0), queued: taken.reduce((sum, { queued }) => sum + queued, 0) };
  }
}
