// The activation of now: what was commanded last, or else what is configured. A command holds over restarts, until the
// configuration says something new.

import { randomUUID } from "node:crypto";
import type { Json, KeyValue } from "gantry";
import type { Activation } from "./activation.ts";

interface Stored extends Activation {
  /** The configuration that held when it was made. */
  configured: string;
}

const storeKey = "activation";

export class Schedule {
  readonly #keyValue: KeyValue;
  readonly #configured: string;
  #activation: Activation;
  /** Whether the configuration is another one than in the life before. */
  isReconfigured = false;
  readonly #listeners = new Set<() => void>();

  private constructor(keyValue: KeyValue, configured: string, activation: Activation) {
    this.#keyValue = keyValue;
    this.#configured = configured;
    this.#activation = activation;
  }

  static async open(keyValue: KeyValue, configuration: Omit<Activation, "id">): Promise<Schedule> {
    const configured = JSON.stringify(configuration);
    const stored = (await keyValue.get(storeKey)) as Stored | undefined;
    const schedule = new Schedule(keyValue, configured, stored ?? { id: "", ...configuration });
    if (stored?.configured !== configured) {
      await schedule.set(configuration);
      schedule.isReconfigured = stored !== undefined;
    }
    return schedule;
  }

  get activation(): Activation {
    return this.#activation;
  }

  /** Resolves once it holds, also after a restart. */
  async set(activation: Omit<Activation, "id">): Promise<Activation> {
    const next = { id: randomUUID(), ...activation };
    await this.#keyValue.set(storeKey, { ...next, configured: this.#configured } satisfies Stored as unknown as Json);
    this.#activation = next;
    for (const listener of this.#listeners) listener();
    return next;
  }

  /** Called when it has changed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
