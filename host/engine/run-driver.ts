// Carries out one run: commits what the plan decided, then lets the attempts happen, then plans again.

import type { EventEmitter } from "node:events";
import type { GantryError } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Json } from "../sdk.ts";
import type { JournalRecord, Run, RunChange, Runs } from "../store/store.ts";
import { type AttemptResult, runAttempt } from "./attempt.ts";
import type { EngineEvents } from "./events.ts";
import { type Plan, plan } from "./plan.ts";
import type { Program, StepNode } from "./program.ts";
import type { Entry } from "./records.ts";
import { nextAttemptAt } from "./retry.ts";
import { type RunFacts, runFacts } from "./run-facts.ts";
import { applyRecord, emptyState, type RunState } from "./state.ts";
import type { FindStep, HostContexts } from "./workflow.ts";

export interface DriverOptions {
  run: Run;
  program: Program;
  /** The journal so far; empty for a new run. */
  journal: JournalRecord[];
  runs: Runs;
  /** The run's own folder, made when first asked for. */
  directory: string;
  findStep: FindStep;
  contexts: () => HostContexts;
  events: EventEmitter<EngineEvents>;
  log: HostLog;
  /** Aborted when the host stops. */
  stopping: AbortSignal;
}

export class RunDriver {
  readonly run: Run;
  readonly #options: DriverOptions;
  readonly #state: RunState = emptyState();
  readonly #facts: RunFacts;
  readonly #active = new Map<string, Promise<void>>();
  #sequence = 0;
  #wake: NodeJS.Timeout | undefined;
  #writes: Promise<void> = Promise.resolve();
  #resolveEnd!: () => void;
  /** Resolves when the run has ended or is suspended. */
  readonly ended = new Promise<void>((resolve) => {
    this.#resolveEnd = resolve;
  });

  constructor(options: DriverOptions) {
    this.run = options.run;
    this.#facts = runFacts(options.run, options.directory);
    this.#options = options;
    for (const { sequence, kind, path, data } of options.journal) {
      applyRecord(this.#state, { kind, path, data } as Entry);
      this.#sequence = sequence;
    }
    options.stopping.addEventListener("abort", () => this.#suspend(), { once: true });
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
    await commit(this.#number([...resumed, ...next.records]), change);
    Object.assign(this.run, change);
    this.#carryOut(next);
  }

  /** Its beginning could not be committed: there is no such run. */
  abandon(): void {
    this.#resolveEnd();
  }

  /** Attempts that an earlier host left without a result. */
  #interrupted(): Entry[] {
    const running = [...this.#state.nodes].filter(([, node]) => node.status === "running");
    return running.map(([path]) => ({ kind: "resumed", path, data: {} }));
  }

  #plan(): Plan {
    return plan(this.#options.program, this.#state, this.#scope(), Date.now());
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

  /** Commits what came of an attempt together with what follows from it. */
  async #advance(entries: Entry[]): Promise<void> {
    for (const entry of entries) applyRecord(this.#state, entry);
    const next = this.#plan();
    const change = this.#changeOf(next);
    await this.#commit([...entries, ...next.records], change);
    Object.assign(this.run, change);
    this.#carryOut(next);
  }

  async #commit(entries: Entry[], change?: RunChange): Promise<void> {
    const records = this.#number(entries);
    // The state has moved on, so the journal must follow: a store that cannot write now is asked until it can.
    for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 10_000)) {
      try {
        return await this.#options.runs.append(this.run.id, records, change);
      } catch (error) {
        if (this.#options.stopping.aborted) throw error;
        this.#options.log.error("the journal cannot be written; the run waits", {
          code: (error as GantryError).code,
          err: error,
        });
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  #number(entries: Entry[]): JournalRecord[] {
    const at = Date.now();
    return entries.map((entry) => ({ sequence: ++this.#sequence, at, ...entry, data: entry.data as unknown as Json }));
  }

  #changeOf(next: Plan): RunChange {
    const { ended } = this.#state;
    if (ended !== undefined) {
      return {
        status: ended.status,
        endedAt: Date.now(),
        output: ended.output,
        error: ended.error,
        ...this.#startedAt(),
      };
    }
    const status = next.attempts.length > 0 ? "running" : "waiting";
    return { ...(status === this.run.status ? {} : { status }), ...this.#startedAt() };
  }

  #startedAt(): RunChange {
    return this.run.startedAt === null ? { startedAt: Date.now() } : {};
  }

  #carryOut(next: Plan): void {
    const { events, stopping } = this.#options;
    if (this.#state.ended !== undefined) {
      const { id, workflow, status, error } = this.run;
      events.emit("run", { id, workflow, status, ...(error === null ? {} : { error }) });
      this.#resolveEnd();
      return;
    }
    if (stopping.aborted) {
      this.#suspend();
      return;
    }
    for (const { path, node } of next.attempts) {
      // What goes wrong inside has been logged by then.
      if (!this.#active.has(path))
        this.#active.set(
          path,
          this.#attempt(path, node).catch(() => {}),
        );
    }
    clearTimeout(this.#wake);
    if (next.wakeAt !== undefined) {
      const delayMs = Math.min(Math.max(0, next.wakeAt - Date.now()), 2 ** 31 - 1);
      this.#wake = setTimeout(() => this.#inOrder(() => this.#advance([])), delayMs);
    }
  }

  async #attempt(path: string, node: StepNode): Promise<void> {
    const { events, log, run, findStep, stopping } = this.#options;
    const state = this.#state.nodes.get(path)!;
    const about = { run: run.id, path, uses: node.uses, ...(node.id === undefined ? {} : { id: node.id }) };
    const stepLog = log.child({ step: node.id ?? path });
    const tell = (status: EngineEvents["step"][0]["status"], more: object = {}) =>
      events.emit("step", { ...about, attempt: state.attempt, status, ...more });
    tell("running");
    const result = await runAttempt({
      path,
      uses: node.uses,
      state,
      run: this.#facts,
      findStep,
      record: (entry) => this.#inOrder(() => this.#note(entry)),
      progress: (progress) => events.emit("progress", { ...about, progress }),
      log: stepLog,
      signal: stopping,
    });
    await this.#inOrder(() => this.#settle(path, node, result, tell, stepLog));
  }

  async #note(entry: Entry): Promise<void> {
    applyRecord(this.#state, entry);
    await this.#commit([entry]);
  }

  async #settle(
    path: string,
    node: StepNode,
    result: AttemptResult,
    tell: (status: EngineEvents["step"][0]["status"], more?: object) => void,
    log: HostLog,
  ): Promise<void> {
    this.#active.delete(path);
    if (result.status === "suspended") {
      tell("suspended");
      this.#suspend();
      return;
    }
    if (result.status === "succeeded") {
      const { status: _, ...data } = result;
      tell(result.unchanged ? "unchanged" : "succeeded");
      return this.#advance([{ kind: "succeeded", path, data }]);
    }
    const state = this.#state.nodes.get(path)!;
    const error = node.id === undefined ? result.error : { ...result.error, step: node.id };
    const at = nextAttemptAt(state.begun!.retry, state.attempt, error, Date.now());
    const facts = { code: error.code, remedy: error.remedy, attempt: state.attempt };
    log.warn(
      `step ${node.uses} failed: ${error.message}`,
      at === undefined ? facts : { ...facts, retryAt: new Date(at).toISOString() },
    );
    tell(at === undefined ? "failed" : "retrying", { error });
    if (at === undefined) return this.#advance([{ kind: "failed", path, data: { error } }]);
    return this.#advance([{ kind: "retry", path, data: { error, at } }]);
  }

  // What changes the state goes one after the other, so that the journal has the order in which things were decided.
  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#writes.then(work);
    this.#writes = done.catch((error) => {
      if (!this.#options.stopping.aborted) this.#options.log.error("the run cannot go on", { err: error });
    });
    return done;
  }

  #suspend(): void {
    clearTimeout(this.#wake);
    if (this.#active.size === 0) this.#resolveEnd();
  }
}
