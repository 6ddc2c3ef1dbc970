// Signals: what is said from outside while runs go on. Each is stored before anyone hears of it, so that one that was
// sent is not lost; whoever waits takes it, and one that came too early is kept for a minute.

import { type Clock, systemClock } from "../clock.ts";
import { GantryError } from "../errors.ts";
import type { Json } from "../sdk.ts";
import type { Signal, Signals as SignalStore } from "../store/store.ts";
import { earlySignalMs } from "./plan.ts";

export type { Signal };

/** What ends a run, or a part of one, that listens for this signal with `abortOn`. */
export const abortedBy = ({ name, value }: Signal) =>
  new GantryError("ABORTED", `the signal ${name} came`, { details: { signal: name, value } });

/** One that signals may concern. */
export interface SignalListener {
  /** Takes the signal if it waits for it or has taken it before; false otherwise. */
  takeSignal(signal: Signal): boolean;
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
  async send({ id, name, value }: { id: string; name: string; value: Json }): Promise<{ received: boolean }> {
    const signal: Signal = { id, name, value, at: this.#clock.now() };
    const forgetBefore = signal.at - earlySignalMs;
    if ((await this.#store.put(signal, forgetBefore)) === "stored") {
      // A clock that was set back must not keep what is long over.
      this.#recent = this.#recent.filter(({ at }) => at >= forgetBefore && at <= signal.at + earlySignalMs);
      this.#recent.push(signal);
    }
    let received = false;
    for (const listener of this.#listeners) if (listener.takeSignal(signal)) received = true;
    return { received };
  }
}
