// What follows when a run has ended: who is told of it, what is logged, and its secrets are removed.

import type { EventEmitter } from "node:events";
import type { Failure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { JournalRecord, Run, Store } from "../store/store.ts";
import { type Answers, outcomeOf } from "./answers.ts";
import type { EngineEvents } from "./events.ts";
import { type EndStatus, nextRecord } from "./records.ts";
import { namesSecret } from "./run-secrets.ts";

export class RunEnds {
  readonly #events: EventEmitter<EngineEvents>;
  readonly #answers: Answers;
  readonly #secrets: Store["secrets"];
  readonly #log: HostLog;

  constructor(events: EventEmitter<EngineEvents>, answers: Answers, secrets: Store["secrets"], log: HostLog) {
    this.#events = events;
    this.#answers = answers;
    this.#secrets = secrets;
    this.#log = log;
  }

  /** Tells of a run that ended without having been under way in this life of the host. */
  async tell(run: Run): Promise<void> {
    const { id, workflow, status, error } = run;
    this.#events.emit("run", { id, workflow, status, ...(error === null ? {} : { error }) });
    this.#answers.give(run, outcomeOf(run));
    this.report(run);
    await this.removeSecrets(run);
  }

  async removeSecrets(run: Run): Promise<void> {
    if (!namesSecret(run.input)) return;
    await this.#secrets
      .remove(run.id)
      .catch((error) => this.#log.error("secrets cannot be removed", { run: run.id, err: error }));
  }

  report(run: Run): void {
    const facts = { run: run.id, workflow: run.workflow, durationMs: run.endedAt! - run.acceptedAt };
    if (run.error === null) this.#log.info(`run ${run.status}`, facts);
    else
      this.#log.warn(`run ${run.status}: ${run.error.message}`, {
        ...facts,
        code: run.error.code,
        remedy: run.error.remedy,
      });
  }
}

/** The last record of a run that nobody carries out. */
export function endRecord(
  journal: readonly JournalRecord[],
  status: EndStatus,
  error: Failure,
  at: number,
): JournalRecord {
  return nextRecord(journal, { kind: "ended", path: "", data: { status, output: null, error } }, at);
}
