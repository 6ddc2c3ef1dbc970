// Turns what triggers emit into durable runs and carries them out; knows no SQL, no protocol and no plugin.

import { randomUUIDv7 } from "node:crypto";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import type { Workflow as WorkflowDocument } from "../../schemas/workflow.types.ts";
import { GantryError } from "../errors.ts";
import { compile, evaluate } from "../expressions/index.ts";
import type { HostLog } from "../log.ts";
import type { Emission, Json, JsonObject } from "../sdk.ts";
import type { JournalRecord, Run, RunChange, Store } from "../store/store.ts";
import type { EngineEvents } from "./events.ts";
import { InputChecks } from "./input-checks.ts";
import { compileProgram, type Program } from "./program.ts";
import { RunDriver } from "./run-driver.ts";
import { Turnstile } from "./turnstile.ts";
import type { FindStep, HostContexts, LoadedWorkflow } from "./workflow.ts";

export interface EngineOptions {
  store: Store;
  log: HostLog;
  /** Runs have their folders below it. */
  dataDirectory: string;
  findStep: FindStep;
  contexts: () => HostContexts;
  /** Runs under way at once; default 256. */
  maxOpen?: number;
  /** Accepted runs that wait for their turn; default 10,000. */
  maxWaiting?: number;
}

export class Engine extends EventEmitter<EngineEvents> {
  readonly #options: EngineOptions;
  readonly #turnstile: Turnstile;
  readonly #stopping = new AbortController();
  readonly #drivers = new Map<string, RunDriver>();
  readonly #programs = new Map<string, Program>();
  readonly #inputChecks = new InputChecks();
  /** Deliveries whose run is being committed. */
  readonly #accepting = new Map<string, Promise<{ runId: string }>>();

  constructor(options: EngineOptions) {
    super();
    this.#options = options;
    this.#turnstile = new Turnstile(options.maxOpen ?? 256, options.maxWaiting ?? 10_000);
    this.setMaxListeners(0);
  }

  /**
   * Accepts a run; resolves once it is durable. Rejects with INPUT_INVALID, QUEUE_FULL, HOST_STOPPING, STORE_FAILED or
   * EXPRESSION_FAILED. `source` tells the triggers of one host apart, so that a message that starts two workflows is
   * recognised by each when it comes again.
   */
  async accept(workflow: LoadedWorkflow, emission: Emission, source = workflow.name): Promise<{ runId: string }> {
    const { delivery } = emission;
    if (delivery === undefined) return this.#accept(workflow, emission, undefined);
    const key = `${source}/${delivery.key}`;
    const known = this.#options.store.runs.delivery(key);
    if (delivery.redelivered && known?.fingerprint === delivery.fingerprint) return { runId: known.runId };
    const underway = this.#accepting.get(`${key}/${delivery.fingerprint}`);
    if (delivery.redelivered && underway !== undefined) return underway;
    const accepted = this.#accept(workflow, emission, { key, fingerprint: delivery.fingerprint });
    this.#accepting.set(`${key}/${delivery.fingerprint}`, accepted);
    return accepted.finally(() => this.#accepting.delete(`${key}/${delivery.fingerprint}`));
  }

  async #accept(
    workflow: LoadedWorkflow,
    emission: Emission,
    delivery: { key: string; fingerprint: string } | undefined,
  ): Promise<{ runId: string }> {
    if (this.#stopping.signal.aborted) throw stopping();
    const input = structuredClone(emission.input);
    this.#inputChecks.check(workflow, input);
    const run = newRun(workflow, input, emission.event ?? {}, this.#groupOf(workflow, input, emission.event ?? {}));
    this.#turnstile.checkRoom(run.group);
    const commit = (records: JournalRecord[], change: RunChange) =>
      this.#options.store.runs.accept({ ...run, ...change }, workflow.text, records, delivery);
    if (this.#turnstile.isFree(run.group)) {
      this.#turnstile.enter(run.group);
      await this.#drive(
        run,
        this.#program(workflow.hash, () => workflow.document),
        [],
        commit,
      );
    } else {
      await commit([], {});
      this.#enqueue(run);
    }
    this.#options.log.info("run accepted", { run: run.id, workflow: run.workflow });
    return { runId: run.id };
  }

  /** Goes on with the runs an earlier host left, in the order in which they were accepted. */
  resume(): void {
    for (const run of this.#options.store.runs.unfinished()) {
      this.#options.log.info(run.status === "queued" ? "run still queued" : "run resumed", {
        run: run.id,
        workflow: run.workflow,
      });
      this.#enqueue(run);
    }
  }

  /** Resolves with the run once it has ended; rejects with HOST_STOPPING when it is suspended. */
  async waitFor(runId: string): Promise<Run> {
    await this.#drivers.get(runId)?.ended;
    const run = this.#options.store.runs.get(runId);
    if (run === undefined) throw new GantryError("RUN_UNKNOWN", `no run ${runId}`);
    if (run.endedAt !== null) return run;
    if (this.#stopping.signal.aborted) throw stopping();
    // Still queued: its driver comes with its turn.
    await new Promise((resolve) => this.once("run", resolve));
    return this.waitFor(runId);
  }

  /** Suspends all runs; resolves when every step has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort(stopping());
    await Promise.all([...this.#drivers.values()].map((driver) => driver.ended));
  }

  #enqueue(run: Run): void {
    this.#turnstile.wait(run.group, () => {
      if (this.#stopping.signal.aborted) return;
      void this.#takeUp(run).catch((error) =>
        this.#options.log.error("run cannot be taken up", { run: run.id, err: error }),
      );
    });
  }

  async #takeUp(run: Run): Promise<void> {
    const { runs } = this.#options.store;
    const journal = runs.journal(run.id);
    const program = this.#program(run.document, () => JSON.parse(runs.documentText(run.document)!) as WorkflowDocument);
    await this.#drive(run, program, journal, (records, change) => runs.append(run.id, records, change));
  }

  async #drive(
    run: Run,
    program: Program,
    journal: JournalRecord[],
    commit: (records: JournalRecord[], change: RunChange) => Promise<void>,
  ): Promise<void> {
    const { store, log, dataDirectory, findStep, contexts } = this.#options;
    const driver = new RunDriver({
      run,
      program,
      journal,
      runs: store.runs,
      directory: join(dataDirectory, "runs", run.id),
      findStep,
      contexts,
      events: this,
      log: log.child({ run: run.id, workflow: run.workflow }),
      stopping: this.#stopping.signal,
    });
    this.#drivers.set(run.id, driver);
    void driver.ended.then(() => {
      this.#drivers.delete(run.id);
      this.#turnstile.leave(run.group);
      if (run.endedAt !== null) this.#report(run);
    });
    try {
      await driver.start(commit);
    } catch (error) {
      driver.abandon();
      throw error;
    }
  }

  #report(run: Run): void {
    const { log } = this.#options;
    const facts = { run: run.id, workflow: run.workflow, durationMs: run.endedAt! - run.acceptedAt };
    if (run.error === null) log.info(`run ${run.status}`, facts);
    else
      log.warn(`run ${run.status}: ${run.error.message}`, { ...facts, code: run.error.code, remedy: run.error.remedy });
  }

  #program(hash: string, read: () => WorkflowDocument): Program {
    const known = this.#programs.get(hash) ?? compileProgram(read());
    this.#programs.set(hash, known);
    return known;
  }

  #groupOf(workflow: LoadedWorkflow, inputs: Json, event: JsonObject): string | null {
    const { concurrency } = workflow.document;
    if (concurrency === undefined) return null;
    const scope = { ...this.#options.contexts(), inputs, event } as Record<string, Json>;
    const group = evaluate(compile(concurrency.group), scope);
    if (typeof group === "string" && group !== "") return group;
    throw new GantryError("EXPRESSION_FAILED", `${workflow.name}: concurrency.group must give a text`);
  }
}

const stopping = () => new GantryError("HOST_STOPPING", "the host is stopping");

function newRun(workflow: LoadedWorkflow, input: Json, event: JsonObject, group: string | null): Run {
  return {
    id: randomUUIDv7(),
    workflow: workflow.name,
    document: workflow.hash,
    status: "queued",
    group,
    acceptedAt: Date.now(),
    startedAt: null,
    endedAt: null,
    input,
    event,
    output: null,
    error: null,
  };
}
