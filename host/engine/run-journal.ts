// The journal of one run, as it is being written: numbers the records, and does not give up while the disk refuses.

import type { Json } from "../sdk.ts";
import type { JournalRecord, Prune, RunChange, Runs } from "../store/store.ts";
import { type Patience, untilWritten } from "./patient-write.ts";
import type { Entry } from "./records.ts";

export class RunJournal {
  readonly #runId: string;
  readonly #runs: Runs;
  readonly #patience: Patience;
  #sequence: number;

  constructor(runId: string, lastSequence: number, runs: Runs, patience: Patience) {
    this.#runId = runId;
    this.#sequence = lastSequence;
    this.#runs = runs;
    this.#patience = patience;
  }

  number(entries: Entry[], at: number): JournalRecord[] {
    return entries.map((entry) => ({ sequence: ++this.#sequence, at, ...entry, data: entry.data as unknown as Json }));
  }

  /** Resolves once the records are durable, because the run's state has moved on already. Rejects as `untilWritten`. */
  commit(records: JournalRecord[], change?: RunChange, prune?: Prune): Promise<void> {
    return untilWritten(() => this.#runs.append(this.#runId, records, change, prune), this.#patience);
  }
}
