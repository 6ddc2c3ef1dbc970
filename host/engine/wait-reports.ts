// Tells who watches that a run waits, and how that ended.

import type { EventEmitter } from "node:events";
import type { EngineEvents } from "./events.ts";
import type { OpenWait } from "./plan-draft.ts";
import type { Entry } from "./records.ts";

export class WaitReports {
  readonly #run: string;
  readonly #events: EventEmitter<EngineEvents>;
  /** By path, what has been told and has not ended. */
  readonly #open = new Map<string, OpenWait>();

  constructor(run: string, events: EventEmitter<EngineEvents>) {
    this.#run = run;
    this.#events = events;
  }

  /** `records` is what happened since it was asked last, `waits` what goes on. */
  tell(records: readonly Entry[], waits: readonly OpenWait[]): void {
    if (this.#open.size > 0)
      for (const { kind, path, data } of records) {
        const wait = this.#open.get(path);
        if (wait === undefined) continue;
        this.#open.delete(path);
        if (kind === "failed") this.#emit(wait, { status: kind, error: data.error });
        else if (kind === "succeeded") this.#emit(wait, { status: kind });
      }
    for (const wait of waits) {
      if (this.#open.has(wait.path)) continue;
      this.#open.set(wait.path, wait);
      const { signal, ...times } = wait.wait;
      const waiting = { ...times, ...(signal === undefined ? {} : { signal: signal.name }) };
      this.#emit(wait, { status: "waiting", waiting });
    }
  }

  #emit(
    { path, uses, id }: OpenWait,
    more: Pick<EngineEvents["step"][0], "status"> & Partial<EngineEvents["step"][0]>,
  ): void {
    const about = { run: this.#run, path, ...(id === undefined ? {} : { id }) };
    this.#events.emit("step", { ...about, uses, attempt: 1, ...more });
  }
}
