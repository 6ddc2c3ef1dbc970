import type { AnyFunction } from "./values.ts";

export interface KeptLimits {
  /** Subscriptions and the like. */
  stops: number;
  /** What was given for them, which is kept as long. */
  stopBytes: number;
  /** Objects with functions, which live as long as the channel. */
  objects: number;
}

/** What one side keeps of the other beyond the call that gave it. What adds to it gives why that is too much. */
export class Kept {
  readonly #limits: KeptLimits;
  readonly #stops = new Map<AnyFunction, number>();
  #stopBytes = 0;
  #objects = 0;

  constructor(limits: KeptLimits) {
    this.#limits = limits;
  }

  addStop(stop: AnyFunction, bytes: number): string | undefined {
    const { stops, stopBytes } = this.#limits;
    this.#stops.set(stop, bytes);
    this.#stopBytes += bytes;
    if (this.#stops.size > stops) return `it keeps more than ${stops} subscriptions`;
    if (this.#stopBytes > stopBytes) return `it keeps subscriptions with more than ${stopBytes} bytes`;
    return undefined;
  }

  /** It has been called. */
  dropStop(stop: AnyFunction): void {
    this.#stopBytes -= this.#stops.get(stop) ?? 0;
    this.#stops.delete(stop);
  }

  /** All stops, which are kept no longer. */
  takeStops(): AnyFunction[] {
    const stops = [...this.#stops.keys()];
    this.#stops.clear();
    this.#stopBytes = 0;
    return stops;
  }

  addObject(): string | undefined {
    const { objects } = this.#limits;
    this.#objects += 1;
    return this.#objects > objects ? `it keeps more than ${objects} objects that it was given` : undefined;
  }
}
