// Runs that wait for their turn: each is taken up when that comes, or ends before.

import type { Clock } from "../clock.ts";
import type { Failure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Run, RunChange, Runs } from "../store/store.ts";
import { patienceOf, untilWritten } from "./patient-write.ts";
import { nextRecord } from "./records.ts";
import { endRecord, type RunEnds } from "./run-ends.ts";
import type { Turnstile } from "./turnstile.ts";

export interface QueueOptions {
  turnstile: Turnstile;
  runs: Runs;
  ends: RunEnds;
  log: HostLog;
  clock: Clock;
  /** Aborted when the host stops. */
  stopping: AbortSignal;
  /** Carries out a run whose turn has come; resolves when it has begun, or never will. */
  begin: (run: Run) => Promise<void>;
}

export class RunQueue {
  readonly #options: QueueOptions;
  readonly #queued = new Map<string, Run>();
  /** Those of them whose turn has come: resolves when they have begun, or never will. */
  readonly #takingUp = new Map<string, Promise<void>>();
  /** Those that end before their turn: resolves when that is durable. */
  readonly #ending = new Map<string, Promise<void>>();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get(runId: string): Run | undefined {
    return this.#queued.get(runId);
  }

  /** Those whose turn has not come, in order. */
  waiting(): Run[] {
    return [...this.#queued.values()].filter(({ id }) => this.#options.turnstile.isWaiting(id));
  }

  /** It has its place from now on, and begins once it is durable as well. */
  add(run: Run, durable: Promise<void>): void {
    const { turnstile, log, stopping, begin } = this.#options;
    this.#queued.set(run.id, run);
    const failed = (error: unknown) => {
      if (!stopping.aborted) log.error("run cannot be taken up", { run: run.id, workflow: run.workflow, err: error });
    };
    const enter = () => {
      const taken = durable.then(
        () => begin(run).catch(failed),
        () => turnstile.leave(run.group),
      );
      const done = taken.then(() => {
        this.#queued.delete(run.id);
        this.#takingUp.delete(run.id);
      });
      this.#takingUp.set(run.id, done);
    };
    durable.catch(() => {
      if (turnstile.withdraw(run.id)) this.#queued.delete(run.id);
    });
    turnstile.wait({ runId: run.id, group: run.group, enter });
  }

  /** Ends a run that waits, and resolves with true once that is durable; with false when its turn has come. */
  async end(run: Run, error: Failure): Promise<boolean> {
    const ending = this.#ending.get(run.id);
    if (ending === undefined && !this.#options.turnstile.withdraw(run.id)) {
      // It hears of it as soon as it has begun.
      await this.#takingUp.get(run.id);
      return false;
    }
    const ended = ending ?? this.#end(run, error).finally(() => this.#ending.delete(run.id));
    this.#ending.set(run.id, ended);
    await ended;
    return true;
  }

  async #end(run: Run, error: Failure): Promise<void> {
    const { runs, ends, log, clock, stopping } = this.#options;
    const patience = patienceOf(run, { log, stopping, clock });
    // What an earlier host had begun cleans up; the rest has nothing to clean.
    const journal = runs.journal(run.id);
    if (journal.length > 0) {
      const aborting = nextRecord(journal, { kind: "aborting", path: "", data: { error } }, clock.now());
      await untilWritten(() => runs.append(run.id, [aborting]), patience);
      this.add(run, Promise.resolve());
      return;
    }
    const status = error.code === "RUN_CANCELLED" ? "cancelled" : error.code === "ABORTED" ? "failed" : "superseded";
    const change: RunChange = { status, endedAt: clock.now(), error };
    const record = endRecord([], status, error, change.endedAt!);
    await untilWritten(() => runs.append(run.id, [record], change), patience);
    this.#queued.delete(run.id);
    Object.assign(run, change);
    await ends.tell(run);
  }
}
