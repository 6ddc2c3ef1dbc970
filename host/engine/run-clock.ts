/**
 * The time by which a run waits. It follows the wall clock forwards and never goes back, neither when the clock is set
 * back nor when the device begins with a clock that stands still in the past: it goes on from the last thing that
 * happened. So a wait ends at its time or, at the latest, when it has lasted as long as it was meant to.
 */
export class RunClock {
  #base: number;
  readonly #begun = performance.now();

  /** `last` is when the run was last heard of (epoch milliseconds). */
  constructor(last: number) {
    this.#base = Math.max(last, Date.now());
  }

  now(): number {
    const passed = Math.floor(this.#base + performance.now() - this.#begun);
    const wall = Date.now();
    if (wall > passed) this.#base += wall - passed;
    return Math.max(wall, passed);
  }
}
