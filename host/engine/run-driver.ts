// Carries out one run: commits what the plan decided, then lets the attempts happen, then plans again.

import type { EventEmitter } from "node:events";
import type { Clock } from "../clock.ts";
import { type Failure, GantryError, toFailure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Json } from "../sdk.ts";
import type { JournalRecord, Run, RunChange, Store } from "../store/store.ts";
import { ActiveAttempts } from "./active-attempts.ts";
import { type Answers, outcomeOf } from "./answers.ts";
import type { EngineEvents } from "./events.ts";
import { plan } from "./plan.ts";
import type { Listening, Plan } from "./plan-draft.ts";
import type { Program } from "./program.ts";
import type { Entry } from "./records.ts";
import { RunClock } from "./run-clock.ts";
import { type RunFacts, runFacts } from "./run-facts.ts";
import { RunJournal } from "./run-journal.ts";
import { abortedBy, type Signal, type SignalListener, type Signals, type Taken } from "./signals.ts";
import { applyRecord, emptyState, type RunState } from "./state.ts";
import { WaitReports } from "./wait-reports.ts";
import type { FindStep, HostContexts } from "./workflow.ts";

export interface DriverOptions {
  run: Run;
  program: Program;
  /** The journal so far; empty for a new run. */
  journal: JournalRecord[];
  store: Pick<Store, "runs" | "secrets">;
  signals: Signals;
  /** The run's own folder, made when first asked for. */
  directory: string;
  findStep: FindStep;
  contexts: () => HostContexts;
  events: EventEmitter<EngineEvents>;
  log: HostLog;
  clock: Clock;
  answers: Answers;
  /** Aborted when the host stops. */
  stopping: AbortSignal;
}

export class RunDriver implements SignalListener {
  readonly run: Run;
  readonly #options: DriverOptions;
  readonly #state: RunState = emptyState();
  /** By place, the record of the last checkpoint. */
  readonly #checkpoints = new Map<string, number>();
  readonly #facts: RunFacts;
  readonly #journal: RunJournal;
  readonly #clock: RunClock;
  readonly #attempts: ActiveAttempts;
  readonly #waits: WaitReports;
  #listening: Listening[] = [];
  #wake: (() => void) | undefined;
  #writes: Promise<void> = Promise.resolve();
  /** What keeps the journal from following; then nothing more may happen in this life of the host. */
  #stuck: unknown;
  #resolveEnd!: () => void;
  /** Resolves when the run has ended or is suspended. */
  readonly ended = new Promise<void>((resolve) => {
    this.#resolveEnd = resolve;
  });

  constructor(options: DriverOptions) {
    const { run, journal, store, log, stopping, clock } = options;
    this.run = run;
    this.#facts = runFacts(run, options.directory);
    this.#options = options;
    for (const { kind, path, data, sequence } of journal) {
      applyRecord(this.#state, { kind, path, data } as Entry);
      if (kind === "checkpoint") this.#checkpoints.set(path, sequence);
    }
    const last = journal.at(-1);
    this.#journal = new RunJournal(run.id, last?.sequence ?? 0, store.runs, { log, stopping, clock });
    this.#clock = new RunClock(last?.at ?? run.acceptedAt, clock);
    this.#waits = new WaitReports(run.id, options.events);
    this.#attempts = new ActiveAttempts({
      run,
      facts: this.#facts,
      state: this.#state,
      secrets: store.secrets,
      findStep: options.findStep,
      events: options.events,
      log,
      clock,
      now: () => this.#clock.now(),
      inOrder: (work) => this.#inOrder(work),
      note: (entry) => this.#note(entry),
      advance: (entries) => this.#advance(entries),
      ended: this.ended,
      suspended: () => this.#suspend(),
    });
  }

  /**
   * Plans the beginning; `commit` takes the records (for a new run together with its row). Resolves once they are
   * durable; the first attempts begin then.
   */
  async start(commit: (records: JournalRecord[], change: RunChange) => Promise<void>): Promise<void> {
    const resumed = this.#interrupted();
    for (const entry of resumed) applyRecord(this.#state, entry);
    const next = this.#plan();
    const change = this.#changeOf(next);
    await commit(this.#journal.number([...resumed, ...next.records], this.#clock.now()), change);
    if (next.prunes.length > 0) await this.#prune(next);
    Object.assign(this.run, change);
    this.#options.signals.add(this);
    this.#waits.tell(next.records, next.waits);
    this.#carryOut(next);
  }

  /** Its beginning could not be committed: there is no such run. */
  abandon(): void {
    this.#finish();
  }

  /** Lets the run end with this error, after its clean-up. Resolves once that is durable; the first reason counts. */
  abort(error: Failure): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#state.ended !== undefined || this.#state.aborts.has("")) return;
      await this.#advance([{ kind: "aborting", path: "", data: { error } }]);
    });
  }

  takeSignal(signal: Signal): Taken {
    if (this.#state.signals.has(signal.id)) return { runs: 1, queued: 0 };
    const heard = this.#listening.some((place) => place.signal === signal.name && place.since <= signal.at);
    if (heard) void this.#inOrder(() => this.#hear(signal)).catch(() => {});
    return { runs: heard ? 1 : 0, queued: 0 };
  }

  async #hear(signal: Signal): Promise<void> {
    const { id, name, value } = signal;
    const entries: Entry[] = [];
    for (const { path, signal: awaited, since, aborts } of this.#listening) {
      if (awaited !== name || since > signal.at || this.#state.signals.has(id)) continue;
      if (!aborts) entries.push({ kind: "succeeded", path, data: { output: { value }, signal: id } });
      else entries.push({ kind: "aborting", path, data: { error: toFailure(abortedBy(signal)), signal: id } });
    }
    if (entries.length > 0) await this.#advance(entries);
  }

  /** Attempts that an earlier host left without a result. */
  #interrupted(): Entry[] {
    const running = [...this.#state.nodes].filter(([, node]) => node.status === "running");
    return running.map(([path]) => ({ kind: "resumed", path, data: {} }));
  }

  #plan(): Plan {
    const { program, run, clock } = this.#options;
    const times = { today: clock.now(), acceptedAt: run.acceptedAt };
    return plan(program, this.#state, this.#scope(), this.#clock.now(), times);
  }

  #scope() {
    const { run, contexts } = this.#options;
    return {
      ...contexts(),
      inputs: run.input,
      event: run.event,
      run: this.#facts,
    } as unknown as Record<string, Json>;
  }

  /** Commits what happened together with what follows from it. */
  async #advance(entries: Entry[]): Promise<void> {
    for (const entry of entries) applyRecord(this.#state, entry);
    const next = this.#plan();
    const change = this.#changeOf(next);
    const happened = [...entries, ...next.records];
    const records = this.#journal.number(happened, this.#clock.now());
    if (records.length > 0 || Object.keys(change).length > 0) await this.#journal.commit(records, change);
    if (next.prunes.length > 0) await this.#prune(next);
    Object.assign(this.run, change);
    this.#waits.tell(happened, next.waits);
    this.#carryOut(next);
  }

  /** Where the host ends before it, a journal is longer than it need be, and as good. */
  async #prune({ prunes }: Plan): Promise<void> {
    for (const prune of prunes) await this.#journal.commit([], undefined, prune);
  }

  async #note(entry: Entry): Promise<void> {
    applyRecord(this.#state, entry);
    const records = this.#journal.number([entry], this.#clock.now());
    if (entry.kind !== "checkpoint") return this.#journal.commit(records);
    // Of a step's checkpoints only the last one is ever asked for.
    const sequence = this.#checkpoints.get(entry.path);
    await this.#journal.commit(records, undefined, sequence === undefined ? undefined : { sequence });
    this.#checkpoints.set(entry.path, records[0]!.sequence);
  }

  #changeOf(next: Plan): RunChange {
    const { ended } = this.#state;
    const started = this.run.startedAt === null ? { startedAt: this.#options.clock.now() } : {};
    if (ended !== undefined) {
      const { status, output, error } = ended;
      return { status, endedAt: this.#options.clock.now(), output, error, ...started };
    }
    const busy = next.attempts.length + next.aborts.length > 0;
    const status = next.undoing ? "undoing" : busy ? "running" : "waiting";
    return { ...(status === this.run.status ? {} : { status }), ...started };
  }

  #carryOut(next: Plan): void {
    const { stopping, answers, program } = this.#options;
    this.#listening = next.listening;
    answers.give(this.run, outcomeOf(this.run, program, this.#state));
    if (this.#state.ended !== undefined) {
      this.#tellRun();
      this.#finish();
      return;
    }
    if (stopping.aborted) {
      this.#suspend();
      return;
    }
    for (const planned of next.attempts) this.#attempts.begin(planned, undefined);
    for (const { error, ...planned } of next.aborts) this.#attempts.begin(planned, error);
    this.#sleepUntil(next.wakeAt);
    this.#hearEarlier();
  }

  #sleepUntil(wakeAt: number | undefined): void {
    this.#wake?.();
    if (wakeAt === undefined) return;
    // Not longer than a minute at once: the wall clock may be set meanwhile.
    const delayMs = Math.min(Math.max(0, wakeAt - this.#clock.now()), 60_000);
    const wake = () => void this.#inOrder(() => this.#advance([])).catch(() => {});
    this.#wake = this.#options.clock.after(delayMs, wake);
  }

  /** Signals that came before the run listened for them. */
  #hearEarlier(): void {
    for (const { signal: name, since } of this.#listening)
      for (const signal of this.#options.signals.recent(name, since))
        if (!this.#state.signals.has(signal.id)) return void this.takeSignal(signal);
  }

  #tellRun(): void {
    const { id, workflow, status, error } = this.run;
    this.#options.events.emit("run", { id, workflow, status, ...(error === null ? {} : { error }) });
  }

  // What changes the state goes one after the other, so that the journal has the order in which things were decided.
  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#writes.then(() => {
      if (this.#stuck === undefined) return work();
      throw this.#stuck;
    });
    this.#writes = done.catch((error) => {
      if (this.#options.stopping.aborted || this.#stuck !== undefined) return;
      this.#stuck = error;
      this.#options.log.error("the run cannot go on; the next start of the host takes it up again", { err: error });
      this.#attempts.endAll(hostStopping());
      this.#finish();
    });
    return done;
  }

  /** The host stops (`stopping` is aborted by then): ends what is under way, so that it is repeated at the next start. */
  stop(): void {
    this.#attempts.endAll(hostStopping());
    this.#suspend();
  }

  #suspend(): void {
    this.#wake?.();
    if (this.#attempts.size === 0) this.#finish();
  }

  #finish(): void {
    this.#wake?.();
    this.#options.signals.remove(this);
    this.#resolveEnd();
  }
}

export const hostStopping = () => new GantryError("HOST_STOPPING", "the host is stopping");
