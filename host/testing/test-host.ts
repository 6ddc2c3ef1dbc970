// A whole host for a test: plugins, workflows, a broker and a clock, in a folder that goes with it.

import { randomUUID } from "node:crypto";
import type { Failure } from "../errors.ts";
import type { PluginState } from "../loading/plugin-state.ts";
import type { DeviceIdentity, Json } from "../sdk.ts";
import type { LogLine } from "./host-log.ts";
import { makeParts, ownTopic, type Parts } from "./host-parts.ts";
import type { TestClient } from "./mqtt-client.ts";
import { PluginBroker } from "./plugin-broker.ts";
import { type Moment, StepFailed, type StepOptions, type StepOutcome } from "./step-outcome.ts";
import type { TestBroker } from "./test-broker.ts";
import type { TestHostOptions } from "./test-host-options.ts";
import type { TestRun } from "./test-run.ts";
import { waitFor } from "./wait-for.ts";

/** How long the end of a run is waited for, if nothing else is said. */
const patienceMs = 60_000;

export class TestHost implements AsyncDisposable {
  readonly device: DeviceIdentity | null;
  /**
   * `advance("10m")` lets the host find itself so much later, as after a sleep: waits, retries, time limits, schedules and
   * back-offs that come due on the way are over. What has its own timers (plugins, brokers) does not notice.
   */
  readonly clock = { advance: (duration: string) => this.#parts.lives.advance(duration) };
  readonly #parts: Parts;
  /** Runs whose result was withheld in this life. */
  readonly #withheld = new Set<string>();

  /** See `startTestHost`. */
  static async start(options: TestHostOptions): Promise<TestHost> {
    const { device = { deviceId: "org.example:test-device", tenantId: "test", policyId: "" } } = options;
    const host = new TestHost(device, await makeParts(options, device));
    try {
      await host.resume();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(device: DeviceIdentity | null, parts: Parts) {
    this.device = device;
    this.#parts = parts;
  }

  /** Every line so far, those of earlier lives included. */
  get log(): LogLine[] {
    return this.#parts.log.lines;
  }

  /** The folder with plugins.json, workflows/ and data/. */
  get directory(): string {
    return this.#parts.folder.path;
  }

  /** The data folder. */
  get data(): string {
    return this.#parts.folder.data;
  }

  /** The process that it is in. */
  get pid(): number {
    return this.#parts.lives.current.pid;
  }

  /** The switch of the broker: `offline()` cuts the host off, `online()` lets it come back. */
  get broker(): TestBroker {
    return this.#parts.broker ?? noBroker();
  }

  /** A client at the broker, which hears everything that is published; the switch does not concern it. */
  get mqtt(): TestClient {
    return this.#parts.client ?? noBroker();
  }

  /** Starts a run and gives it once it has ended, whatever became of the host meanwhile. */
  async run(workflow: string, input: Json = {}, options: { timeoutMs?: number } = {}): Promise<TestRun> {
    return this.ended(await this.start(workflow, input), options);
  }

  /** Starts a run; gives its id once it is durable. Rejects as the engine does (INPUT_INVALID, GROUP_BUSY, ...). */
  async start(workflow: string, input: Json = {}): Promise<string> {
    const runId = await this.#accept(workflow, input);
    this.#parts.journal.given(runId);
    return runId;
  }

  /** A run once it has ended. Rejects after `timeoutMs` (60,000 if nothing else is said). */
  async ended(runId: string, { timeoutMs = patienceMs } = {}): Promise<TestRun> {
    const words = () => `the end of run ${runId}: ${JSON.stringify(this.found(runId), null, 2)}\n${this.logText()}`;
    return waitFor(words, () => this.#parts.journal.ended(runId), timeoutMs);
  }

  /** The next run of a workflow that a trigger has started, once it has ended; each is given once. */
  async nextRun(workflow: string, { timeoutMs = patienceMs } = {}): Promise<TestRun> {
    const words = () => `a run of ${workflow} that a trigger starts, and its end\n${this.logText()}`;
    const id = await waitFor(words, () => this.#parts.journal.nextEnded(workflow), timeoutMs);
    this.#parts.journal.given(id);
    return this.ended(id, { timeoutMs });
  }

  /** A run as the journal has it now; undefined where there is none. */
  found(runId: string): TestRun | undefined {
    return this.#parts.journal.found(runId);
  }

  /** All runs, oldest first. */
  runs(workflow?: string): TestRun[] {
    return this.#parts.journal.list(workflow);
  }

  /**
   * One step alone, as the engine would carry it out: its input is checked, `plan` and `check` are asked, and `run` is
   * called where `check` does not find everything done. Rejects with StepFailed.
   */
  async step(uses: string, input: Json = {}, options: StepOptions = {}): Promise<StepOutcome> {
    const { signal, onProgress = () => {}, after, lastCheckpoint = after?.checkpoints.at(-1) } = options;
    const earlier = {
      ...(after === undefined ? {} : { run: after.run }),
      ...(lastCheckpoint === undefined ? {} : { lastCheckpoint }),
    };
    const { result, ...report } = await this.#parts.lives.current.step({ uses, input, ...earlier }, signal, onProgress);
    if (result.status === "succeeded")
      return { ...report, output: result.output, unchanged: result.unchanged ?? false };
    if (result.status === "failed") throw new StepFailed(result.error, report);
    throw new Error(`the host stopped while ${uses} was at work`);
  }

  /** What the step's `plan` says, and nothing else; undefined where it has none. Rejects with StepFailed. */
  async plan(uses: string, input: Json = {}): Promise<string | undefined> {
    const lone = { uses, input, planOnly: true };
    const { result, plan, ...facts } = await this.#parts.lives.current.step(lone, undefined, () => {});
    if (result.status === "failed") throw new StepFailed(result.error, facts);
    return plan;
  }

  /** Says something to the runs that wait for it. */
  async signal(name: string, value: Json = null): Promise<{ received: boolean }> {
    return this.#parts.lives.call("signals.send", { name, value, id: randomUUID() });
  }

  async cancel(runId: string): Promise<void> {
    await this.#parts.lives.call("runs.cancel", { run: runId });
  }

  /** The plugins and what became of them. */
  async plugins(): Promise<PluginState[]> {
    return this.#parts.lives.plugins();
  }

  /**
   * Lets the host die by itself, of SIGKILL, at such a moment of a step (`plugin/step`, or its id; of any, if none is
   * named); needs `process: true`. See also `gone`.
   */
  async dieAt(moment: Moment, step?: string): Promise<void> {
    await this.#parts.lives.current.dieAt(moment, step);
  }

  /**
   * From now on, for this life, what such a step (`plugin/step`, or its id) returns does not get into the journal: its
   * run stands still after the step's work, and a `kill` comes before anybody knows of it. So many runs can be killed at
   * that moment at once. A `stop` lets the results through. Needs `process: true`. See also `withheld`.
   */
  async withhold(step: string): Promise<void> {
    await this.#parts.lives.current.withhold(step, (runId) => void this.#withheld.add(runId));
  }

  /** Resolves with true once the run stands still for `withhold`, with false where it has ended without that. */
  async withheld(runId: string, { timeoutMs = patienceMs } = {}): Promise<boolean> {
    const words = () => `a result of run ${runId} to withhold: ${JSON.stringify(this.found(runId), null, 2)}`;
    const stands = await waitFor(
      words,
      () =>
        this.#withheld.has(runId) ? ("withheld" as const) : this.#parts.journal.ended(runId) && ("ended" as const),
      timeoutMs,
    );
    return stands === "withheld";
  }

  /** Resolves once the host is gone, whoever ended it. */
  async gone(): Promise<void> {
    await this.#parts.lives.gone();
  }

  /** kill -9; needs `process: true`. */
  async kill(): Promise<void> {
    await this.#parts.lives.kill();
  }

  /** Ends the host as SIGTERM does: its runs are suspended. */
  async stop(): Promise<void> {
    await this.#parts.lives.stop();
  }

  /**
   * Starts a host on the same folder, after `stop`, `kill` or a death; its clock goes on where that of the last one was.
   * `environment` is for this life alone.
   */
  async resume(more: { environment?: NodeJS.ProcessEnv } = {}): Promise<void> {
    this.#withheld.clear();
    const { lives, broker, client } = this.#parts;
    const plugins = await lives.begin(more.environment ?? {});
    if (!plugins.some(({ name, state }) => name === "mqtt" && state === "active")) return;
    if (broker instanceof PluginBroker) await client!.connect(broker.port);
    // A message of the test that comes before the host's subscriptions would be lost. It asks, and answers itself, once its
    // broker has been asked for all subscriptions; and a broker keeps the order.
    if (broker?.isOnline === true)
      await this.step("mqtt/request", { topic: ownTopic, responseTopic: ownTopic, payload: randomUUID() });
  }

  /** The log as it would be read in a terminal without colours: for the message of a failed assertion. */
  logText(): string {
    return this.#parts.log.text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]();
  }

  async #accept(workflow: string, input: Json): Promise<string> {
    const { lives, journal } = this.#parts;
    const life = lives.current;
    try {
      return (await lives.call<{ runId: string }>("runs.start", { workflow, input })).runId;
    } catch (error) {
      if ((error as Partial<Failure>).code !== "CONTROL_FAILED") throw error;
      // One that dies over the run's first step has accepted it and cannot say so any more.
      await life.gone;
      const newest = journal.newest(workflow);
      if (newest === undefined) throw error;
      return newest;
    }
  }
}

function noBroker(): never {
  throw new Error('this host has no broker of the test: start it with `broker: "embedded"`, say');
}

/**
 * Starts a host with its own folder and, if asked for, a broker at which it has made its subscriptions. Rejects where a
 * document has a fault or a plugin does not become active. Its end (`await using`) stops it and removes everything.
 */
export const startTestHost = (options: TestHostOptions = {}): Promise<TestHost> => TestHost.start(options);
