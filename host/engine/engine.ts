// Turns what triggers emit into durable runs and carries them out; knows no SQL, no protocol and no plugin.

import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import { type Failure, GantryError, toFailure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Emission, Json, JsonObject } from "../sdk.ts";
import type { JournalRecord, Run, RunChange, Signal, Store } from "../store/store.ts";
import { Answers, type AnswerTrigger, outcomeOf } from "./answers.ts";
import { Deliveries, type Origin } from "./deliveries.ts";
import type { EngineEvents } from "./events.ts";
import { HeldInputs } from "./held-inputs.ts";
import { checkInput } from "./input-checks.ts";
import { documentsOf, newRun } from "./new-run.ts";
import { patienceOf, untilWritten } from "./patient-write.ts";
import { Programs, type RunProgram } from "./programs.ts";
import { checkRequirements } from "./requirements.ts";
import { hostStopping, RunDriver } from "./run-driver.ts";
import { endRecord, RunEnds } from "./run-ends.ts";
import { RunQueue } from "./run-queue.ts";
import { maskValues, namesSecret, setSecretsAside, unmaskLater } from "./run-secrets.ts";
import { abortedBy, type Received, Signals, type Taken } from "./signals.ts";
import { abortStoredRun, runCancelled } from "./stored-abort.ts";
import { Turnstile } from "./turnstile.ts";
import type { FindStep, HostContexts, LoadedWorkflow } from "./workflow.ts";

export interface EngineOptions {
  store: Store;
  log: HostLog;
  /** Runs have their folders below it. */
  dataDirectory: string;
  findStep: FindStep;
  contexts: () => HostContexts;
  /** The version of an active plugin, for `requires`. */
  pluginVersion?: (plugin: string) => string | undefined;
  /** Passes the outcome of a run on to the trigger that asked for it. */
  answer?: AnswerTrigger;
  /** A document as it is now, for `retry`. */
  findWorkflow?: (name: string) => LoadedWorkflow | undefined;
  /** Runs under way at once; default 256. */
  maxOpen?: number;
  /** Accepted runs that wait for their turn; default 10,000. */
  maxWaiting?: number;
  /** Of the inputs of all of them together, as JSON; default 32 Mi. */
  mostInputLength?: number;
  /** Default: the system's. */
  clock?: Clock;
}

type Commit = (records: JournalRecord[], change: RunChange) => Promise<void>;

export class Engine extends EventEmitter<EngineEvents> {
  readonly #options: EngineOptions;
  readonly #clock: Clock;
  readonly #turnstile: Turnstile;
  readonly #signals: Signals;
  readonly #programs: Programs;
  readonly #answers: Answers;
  readonly #deliveries: Deliveries;
  readonly #ends: RunEnds;
  readonly #stopping = new AbortController();
  readonly #drivers = new Map<string, RunDriver>();
  readonly #queue: RunQueue;
  readonly #inputs: HeldInputs;

  constructor(options: EngineOptions) {
    super();
    const { store, contexts, maxOpen = 256, maxWaiting = 10_000, clock = systemClock } = options;
    const { mostInputLength = 32 << 20 } = options;
    this.#options = options;
    this.#clock = clock;
    this.#turnstile = new Turnstile(maxOpen, maxWaiting);
    this.#signals = new Signals(store.signals, clock);
    this.#signals.add({ takeSignal: (signal) => this.#signalQueued(signal) });
    this.#programs = new Programs(store.runs, contexts);
    const answer: AnswerTrigger = options.answer ?? (async () => {});
    this.#answers = new Answers(store.runs, answer, options.log, this.#stopping.signal, clock);
    this.#deliveries = new Deliveries(store.runs);
    this.#ends = new RunEnds(this, this.#answers, store.secrets, options.log);
    this.#queue = new RunQueue({
      turnstile: this.#turnstile,
      runs: store.runs,
      ends: this.#ends,
      log: options.log,
      clock,
      stopping: this.#stopping.signal,
      begin: (run) => this.#begin(run),
    });
    const isHeld = (runId: string) => this.#drivers.has(runId) || this.#queue.get(runId) !== undefined;
    this.#inputs = new HeldInputs(mostInputLength, isHeld);
    this.setMaxListeners(0);
  }

  /**
   * Accepts a run; resolves once it is durable. Rejects with INPUT_INVALID, QUEUE_FULL, GROUP_BUSY, REQUIREMENT_UNMET,
   * HOST_STOPPING, STORE_FAILED or EXPRESSION_FAILED. `source` tells the triggers of one host apart, so that a message
   * that starts two workflows is recognised by each when it comes again.
   */
  async accept(
    workflow: LoadedWorkflow,
    emission: Emission,
    source = workflow.name,
    trigger?: string,
  ): Promise<{ runId: string }> {
    const { delivery, answer: asked } = emission;
    const answer = asked === undefined || trigger === undefined ? {} : { answer: { trigger, ...asked } };
    if (delivery === undefined) return this.#accept(workflow, emission, answer);
    return this.#deliveries.take(source, delivery, (origin) =>
      this.#accept(workflow, emission, { ...answer, delivery: origin }),
    );
  }

  async #accept(
    workflow: LoadedWorkflow,
    emission: Emission,
    origin: { delivery?: Origin } & Partial<Pick<Run, "retryOf" | "answer">>,
  ): Promise<{ runId: string }> {
    if (this.#stopping.signal.aborted) throw hostStopping();
    const { store, log } = this.#options;
    // Only JSON comes in; of all ways to copy it this is the cheapest.
    const input = JSON.parse(JSON.stringify(emission.input) ?? "null") as Json;
    if (namesSecret(input))
      throw new GantryError("INPUT_INVALID", `${workflow.name}: an input must not have a member called $secret`);
    const schema = workflow.document.inputs as JsonObject | undefined;
    checkInput(workflow.name, schema, input);
    const secrets = setSecretsAside(schema, input);
    const event = emission.event ?? {};
    const program = this.#programs.of(workflow);
    const run = newRun(workflow, input, event, program.groupOf(input, event), origin, this.#clock.now());
    // The values are nobody's again until a step takes them.
    const release = maskValues(secrets);
    try {
      if (Object.keys(secrets).length > 0) await store.secrets.put(run.id, secrets);
      await this.#admit(run, workflow, program, origin.delivery, lengthOf(run));
    } catch (error) {
      await this.#ends.removeSecrets(run);
      throw error;
    } finally {
      unmaskLater(release);
    }
    log.info("run accepted", { run: run.id, workflow: run.workflow });
    return { runId: run.id };
  }

  /** Lets a run begin or wait, or refuses it; resolves once it is durable. */
  async #admit(
    run: Run,
    workflow: LoadedWorkflow,
    program: RunProgram,
    delivery: Origin | undefined,
    inputLength: number,
  ): Promise<void> {
    const { store, log } = this.#options;
    const ahead = run.group === null ? undefined : this.#turnstile.membersOf(run.group)[0];
    const busy = ahead !== undefined;
    const commit: Commit = (records, change) =>
      store.runs.accept({ ...run, ...change }, documentsOf(workflow), records, delivery);
    if (busy && program.whenBusy === "reject") {
      const message = `the group ${run.group} is busy with run ${ahead}`;
      return this.#reject(run, new GantryError("GROUP_BUSY", message, { details: { run: run.id } }), commit);
    }
    if (!(busy && program.whenBusy === "supersede")) this.#turnstile.checkRoom(run.group);
    this.#inputs.checkRoom(inputLength);
    this.#inputs.add(run.id, inputLength);
    if (this.#turnstile.isFree(run.group)) {
      this.#turnstile.enter(run.id, run.group);
      const unmet = this.#unmet(run);
      if (unmet !== undefined) {
        this.#turnstile.leave(run.group);
        return this.#reject(run, unmet, commit);
      }
      await this.#drive(run, [], commit);
    } else {
      // It has its place in the queue before it is durable, so that no other of its group can pass it meanwhile.
      const durable = commit([], {});
      this.#queue.add(run, durable);
      await durable;
      if (this.#turnstile.isWaiting(run.id)) this.emit("run", { id: run.id, workflow: run.workflow, status: "queued" });
      if (program.whenBusy !== "supersede") return;
      // It is accepted all the same, and begins when the others have ended by themselves.
      await this.#supersede(run).catch((error) => log.error("runs cannot be superseded", { run: run.id, err: error }));
    }
  }

  async #reject(run: Run, error: GantryError, commit: Commit): Promise<never> {
    const failure = toFailure(error);
    // Who emitted it hears of it at once where it never waited.
    if (run.startedAt === null && this.#queue.get(run.id) === undefined) run.answer = null;
    const change: RunChange = { status: "rejected", endedAt: this.#clock.now(), error: failure };
    await commit([endRecord([], "rejected", failure, change.endedAt!)], change);
    Object.assign(run, change);
    await this.#ends.tell(run);
    throw error;
  }

  /** What keeps a run from beginning, if anything does. */
  #unmet(run: Run): GantryError | undefined {
    const { dataDirectory, pluginVersion: versionOf = () => undefined } = this.#options;
    try {
      const program = this.#programs.ofRun(run);
      const scope = program.scope(run.input, run.event);
      checkRequirements(program.document, { versionOf, dataDirectory, scope });
      return undefined;
    } catch (error) {
      if (error instanceof GantryError) return error;
      throw error;
    }
  }

  /** Goes on with the runs an earlier host left, in the order in which they were accepted. */
  resume(): void {
    const { store, log } = this.#options;
    const left = store.runs.unfinished();
    for (const runId of store.secrets.list())
      if (!left.some(({ id }) => id === runId)) void store.secrets.remove(runId).catch(() => {});
    for (const run of left) {
      log.info(run.status === "queued" ? "run still queued" : "run resumed", { run: run.id, workflow: run.workflow });
      this.#queue.add(run, Promise.resolve());
      this.#inputs.add(run.id, lengthOf(run));
    }
    for (const run of left)
      if (run.group !== null && this.#programs.ofRun(run).whenBusy === "supersede")
        void this.#supersede(run).catch((error) => log.error("runs cannot be superseded", { run: run.id, err: error }));
    for (const run of left) this.#hearEarlier(run);
    for (const run of store.runs.unanswered()) this.#answers.give(run, outcomeOf(run));
  }

  /** Ends a run, with its clean-up; resolves once that is durable. Rejects with RUN_UNKNOWN or RUN_ENDED. */
  async cancel(runId: string): Promise<Run> {
    const run = this.#open(runId);
    await this.#end(run.id, runCancelled());
    return this.#options.store.runs.get(runId) ?? run;
  }

  /**
   * A new run of the same workflow, as its document is now, with the same input. Rejects with RUN_UNKNOWN,
   * RUN_NOT_ENDED, SECRET_MISSING (secrets that came with its input are gone), and as `accept`.
   */
  async retry(runId: string): Promise<{ runId: string }> {
    const run = this.#options.store.runs.get(runId);
    if (run === undefined) throw new GantryError("RUN_UNKNOWN", `no run ${runId}`);
    if (run.endedAt === null) throw new GantryError("RUN_NOT_ENDED", `run ${runId} is ${run.status}`);
    if (namesSecret(run.input))
      throw new GantryError("SECRET_MISSING", `the secrets that came with the input of run ${runId} are gone`);
    const workflow = this.#options.findWorkflow?.(run.workflow) ?? this.#programs.storedWorkflow(run);
    return this.#accept(workflow, { input: run.input, event: run.event }, { retryOf: runId });
  }

  /** Says something to whoever waits for it; durable when it resolves. `id` is the same for every repetition. */
  signal(signal: { id: string; name: string; value: Json }): Promise<Received> {
    return this.#signals.send(signal);
  }

  /** Resolves with the run once it has ended; rejects with HOST_STOPPING when it is suspended. */
  async waitFor(runId: string): Promise<Run> {
    const driver = this.#drivers.get(runId);
    await driver?.ended;
    if (driver !== undefined && driver.run.endedAt !== null) return driver.run;
    const run = this.#options.store.runs.get(runId);
    if (run === undefined) throw new GantryError("RUN_UNKNOWN", `no run ${runId}`);
    if (run.endedAt !== null) return run;
    if (this.#stopping.signal.aborted) throw hostStopping();
    // Still queued: its driver comes with its turn.
    await once(this, "run", { signal: this.#stopping.signal }).catch(() => {});
    return this.waitFor(runId);
  }

  /** Suspends all runs; resolves when every step has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort(hostStopping());
    const drivers = [...this.#drivers.values()];
    for (const driver of drivers) driver.stop();
    await Promise.all(drivers.map((driver) => driver.ended));
  }

  #open(runId: string): Run {
    const run = this.#drivers.get(runId)?.run ?? this.#queue.get(runId) ?? this.#options.store.runs.get(runId);
    if (run === undefined) throw new GantryError("RUN_UNKNOWN", `no run ${runId}`);
    if (run.endedAt !== null) throw new GantryError("RUN_ENDED", `run ${runId} has ended already: ${run.status}`);
    return run;
  }

  /** Ends a run with its clean-up; one that has not begun has none. */
  async #end(runId: string, reason: GantryError): Promise<void> {
    const error = toFailure(reason);
    const queued = this.#queue.get(runId);
    if (queued !== undefined && (await this.#queue.end(queued, error))) return;
    return this.#abort(runId, error);
  }

  /** One that nobody carries out in this life of the host hears of it at the next start. */
  async #abort(runId: string, error: Failure): Promise<void> {
    const driver = this.#drivers.get(runId);
    if (driver !== undefined) return driver.abort(error);
    const { runs } = this.#options.store;
    const run = runs.get(runId);
    if (run?.endedAt === null) await abortStoredRun(runs, run, error, this.#clock.now());
  }

  /** Ends all runs of the group that came before this one. */
  async #supersede(newer: Run): Promise<void> {
    const members = this.#turnstile.membersOf(newer.group!);
    const before = members.slice(0, Math.max(0, members.indexOf(newer.id)));
    const reason = new GantryError("RUN_SUPERSEDED", `run ${newer.id} took its place`, { details: { by: newer.id } });
    await Promise.all(before.map((runId) => this.#end(runId, reason)));
  }

  #signalQueued(signal: Signal): Taken {
    const taken = { runs: 0, queued: 0 };
    for (const run of this.#queue.waiting()) {
      if (this.#programs.ofRun(run).abortName(run) !== signal.name) continue;
      taken.runs += 1;
      if (run.startedAt === null) taken.queued += 1;
      void this.#end(run.id, abortedBy(signal)).catch((error) =>
        this.#options.log.error("run cannot be aborted", { run: run.id, err: error }),
      );
    }
    return taken;
  }

  #hearEarlier(run: Run): void {
    const name = this.#programs.ofRun(run).abortName(run);
    const [signal] = name === undefined ? [] : this.#signals.recent(name, run.acceptedAt);
    if (signal !== undefined) this.#signalQueued(signal);
  }

  async #begin(run: Run): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { store, log } = this.#options;
    const { runs } = store;
    const patience = patienceOf(run, { log, stopping: this.#stopping.signal, clock: this.#clock });
    // It was accepted, so it keeps its place until the disk takes it.
    const commit: Commit = (records, change) => untilWritten(() => runs.append(run.id, records, change), patience);
    try {
      const journal = runs.journal(run.id);
      const unmet = journal.length === 0 ? this.#unmet(run) : undefined;
      if (unmet === undefined) return await this.#drive(run, journal, commit);
      this.#turnstile.leave(run.group);
      await this.#reject(run, unmet, commit).catch((error) => {
        if (error !== unmet) throw error;
      });
    } catch (error) {
      if (!this.#drivers.has(run.id) && run.endedAt === null) await this.#giveUp(run, error, commit);
    }
  }

  /** A run that cannot even be read ends as failed, so that it does not hold up its group for ever. */
  async #giveUp(run: Run, error: unknown, commit: Commit): Promise<void> {
    const failure = toFailure(error);
    if (failure.retryable || this.#stopping.signal.aborted) throw error;
    const journal = this.#options.store.runs.journal(run.id);
    const change: RunChange = { status: "failed", endedAt: this.#clock.now(), error: failure };
    await commit([endRecord(journal, "failed", failure, change.endedAt!)], change);
    Object.assign(run, change);
    await this.#ends.tell(run);
  }

  async #drive(run: Run, journal: JournalRecord[], commit: Commit): Promise<void> {
    const { store, log, dataDirectory, findStep, contexts } = this.#options;
    let driver: RunDriver;
    try {
      driver = new RunDriver({
        run,
        program: this.#programs.ofRun(run).program,
        journal,
        store,
        signals: this.#signals,
        answers: this.#answers,
        directory: join(dataDirectory, "runs", run.id),
        findStep,
        contexts,
        events: this,
        log: log.child({ run: run.id, workflow: run.workflow }),
        clock: this.#clock,
        stopping: this.#stopping.signal,
      });
    } catch (error) {
      this.#turnstile.leave(run.group);
      throw error;
    }
    this.#drivers.set(run.id, driver);
    void driver.ended.then(() => {
      this.#drivers.delete(run.id);
      this.#inputs.remove(run.id);
      this.#turnstile.leave(run.group);
      if (run.endedAt === null) return;
      this.#ends.report(run);
      void this.#ends.removeSecrets(run);
    });
    try {
      await driver.start(commit);
    } catch (error) {
      driver.abandon();
      throw error;
    }
  }
}

/** Of what came with it, as JSON. */
const lengthOf = ({ input, event }: Run): number => JSON.stringify([input, event]).length;
