// Passes on what the engine tells, for as long as someone wants to hear it.

import type { EventEmitter } from "node:events";
import type { EngineEvents } from "../engine/events.ts";

export type EngineEvent = {
  [Name in keyof EngineEvents]: { name: Name; facts: EngineEvents[Name][0] };
}[keyof EngineEvents];

/** What is kept of events whose run is not known yet. */
const maxKept = 10_000;

export class Follower implements Disposable {
  readonly #engine: EventEmitter<EngineEvents>;
  readonly #tell: (event: EngineEvent) => void;
  /** Undefined: all runs. `later`: one whose id comes with `only`. */
  #run: string | undefined;
  #kept: EngineEvent[] | undefined;

  /** `run`: only events of this one; `later`: of the one that `only` names, from now on. */
  constructor(
    engine: EventEmitter<EngineEvents>,
    run: string | "later" | undefined,
    tell: (event: EngineEvent) => void,
  ) {
    this.#engine = engine;
    this.#tell = tell;
    if (run === "later") this.#kept = [];
    else this.#run = run;
    engine.on("run", this.#onRun).on("step", this.#onStep).on("progress", this.#onProgress);
  }

  /** Names the run, whose events so far are told now. */
  only(run: string): void {
    this.#run = run;
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    for (const event of kept) this.#take(event);
  }

  [Symbol.dispose](): void {
    this.#engine.off("run", this.#onRun).off("step", this.#onStep).off("progress", this.#onProgress);
  }

  #onRun = (facts: EngineEvents["run"][0]) => this.#take({ name: "run", facts });
  #onStep = (facts: EngineEvents["step"][0]) => this.#take({ name: "step", facts });
  #onProgress = (facts: EngineEvents["progress"][0]) => this.#take({ name: "progress", facts });

  #take(event: EngineEvent): void {
    if (this.#kept !== undefined) {
      if (this.#kept.length >= maxKept) this.#kept.shift();
      this.#kept.push(event);
      return;
    }
    const run = event.name === "run" ? event.facts.id : event.facts.run;
    if (this.#run === undefined || this.#run === run) this.#tell(event);
  }
}
