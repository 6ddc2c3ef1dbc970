import type { Clock } from "../clock.ts";

/**
 * The time by which a run waits. It follows the wall clock forwards and never goes back, neither when the clock is set
 * back nor when the device begins with a clock that stands still in the past: it goes on from the last thing that
 * happened. So a wait ends at its time or, at the latest, when it has lasted as long as it was meant to.
 */
export class RunClock {
  readonly #clock: Clock;
  readonly #begun: number;
  #base: number;

  /** `last` is when the run was last heard of (epoch milliseconds). */
  constructor(last: number, clock: Clock) {
    this.#clock = clock;
    this.#begun = clock.passed();
    this.#base = Math.max(last, clock.now());
  }

  now(): number {
    const passed = Math.floor(this.#base + this.#clock.passed() - this.#begun);
    const wall = this.#clock.now();
    if (wall > passed) this.#base += wall - passed;
    return Math.max(wall, passed);
  }
}
