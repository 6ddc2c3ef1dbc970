// The journal of one run, as it is being written: numbers the records, and does not give up while the disk refuses.

import type { Clock } from "../clock.ts";
import type { GantryError } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Json } from "../sdk.ts";
import type { JournalRecord, Prune, RunChange, Runs } from "../store/store.ts";
import { pause } from "../triggers/pause.ts";
import type { Entry } from "./records.ts";

export class RunJournal {
  readonly #runId: string;
  readonly #runs: Runs;
  readonly #log: HostLog;
  readonly #stopping: AbortSignal;
  readonly #clock: Clock;
  #sequence: number;

  constructor(runId: string, lastSequence: number, runs: Runs, log: HostLog, stopping: AbortSignal, clock: Clock) {
    this.#runId = runId;
    this.#sequence = lastSequence;
    this.#runs = runs;
    this.#log = log;
    this.#stopping = stopping;
    this.#clock = clock;
  }

  number(entries: Entry[], at: number): JournalRecord[] {
    return entries.map((entry) => ({ sequence: ++this.#sequence, at, ...entry, data: entry.data as unknown as Json }));
  }

  /**
   * Resolves once the records are durable. A store that cannot write now is asked until it can, because the run's state
   * has moved on already; rejects when the host stops, or when no repetition can help.
   */
  async commit(records: JournalRecord[], change?: RunChange, prune?: Prune): Promise<void> {
    let told = false;
    for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 10_000)) {
      try {
        await this.#runs.append(this.#runId, records, change, prune);
        if (told) this.#log.info("the journal can be written again; the run goes on");
        return;
      } catch (error) {
        const { code, retryable } = error as GantryError;
        if (this.#stopping.aborted || retryable === false) throw error;
        this.#log.error("the journal cannot be written; the run waits", { code, err: error });
        told = true;
        await pause(delayMs, this.#stopping, this.#clock);
      }
    }
  }
}
