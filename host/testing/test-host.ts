// A whole host for a test: plugins, workflows, a broker and a clock, in a folder that goes with it.

import { randomUUID } from "node:crypto";
import { connectControl } from "../control/client.ts";
import { parseDuration } from "../duration.ts";
import type { Failure } from "../errors.ts";
import { locatePlugin } from "../loading/locate-plugin.ts";
import type { PluginState } from "../loading/plugin-state.ts";
import type { DeviceIdentity, Json, JsonObject } from "../sdk.ts";
import { openStoreForReading } from "../store/open.ts";
import type { StoreReader } from "../store/store.ts";
import { entryOf, HostFolder, type TestPlugin } from "./host-folder.ts";
import type { Life } from "./life.ts";
import { beginElsewhere } from "./life-elsewhere.ts";
import { beginHere } from "./life-here.ts";
import { connectClient, type TestClient } from "./mqtt-client.ts";
import { type Moment, StepFailed, type StepOptions, type StepOutcome } from "./step-outcome.ts";
import { type BrokerKind, startBroker, type TestBroker } from "./test-broker.ts";
import { type TestRun, testRunOf } from "./test-run.ts";
import { waitFor } from "./wait-for.ts";

export interface TestHostOptions {
  /** Names, folders (absolute, file URLs, or relative to the working directory), or entries as in plugins.json. */
  plugins?: (string | URL | TestPlugin)[];
  /** Documents by name; a document need not repeat its name. */
  workflows?: Record<string, object>;
  /**
   * A broker for the plugin `mqtt` and for the test. `embedded` is in the test's own process, so that nothing need be
   * installed; `mosquitto` is a real Mosquitto. Either lives on when the host is killed. Without it, `mqtt` is
   * configured as in `plugins`, if it is there.
   */
  broker?: BrokerKind;
  /** The identity in plugins.json; null: none. Default: `org.example:test-device` of the tenant `test`. */
  device?: DeviceIdentity | null;
  /** What `{"$secret": NAME}` stands for, by name. */
  secrets?: Record<string, string>;
  /** Whether the host has a process of its own, as `gantry up`: it can be killed then, and starts more slowly. */
  process?: boolean;
  /** Further members of plugins.json. */
  configuration?: JsonObject;
  /** Environment of the host, where it has a process of its own. */
  environment?: NodeJS.ProcessEnv;
  /** Default: debug. */
  logLevel?: string;
  /** Starts also where documents have faults or a plugin does not become active. */
  faulty?: boolean;
}

/** One line of the host's log: `level`, `msg`, `time`, and the facts that go with it. */
export interface LogLine {
  level: "debug" | "info" | "warn" | "error";
  msg: string;
  time: string;
  [fact: string]: unknown;
}

/** Plugins that a host was to have did not become active. */
export class PluginsNotActive extends Error {
  readonly plugins: readonly PluginState[];

  constructor(plugins: readonly PluginState[], logText: string) {
    const words = plugins.map(({ name, state, reason, code }) => `${name} is ${state}: ${reason} (${code})`);
    super(`${words.join("\n")}\n${logText}`);
    this.name = "PluginsNotActive";
    this.plugins = plugins;
  }
}

/** On which a host only talks to itself. */
const ownTopic = "gantry/testing/own";

/** How long the end of a run is waited for, if nothing else is said. */
const patienceMs = 60_000;

export class TestHost implements AsyncDisposable {
  /** Every line so far, those of earlier lives included. */
  readonly log: LogLine[] = [];
  readonly device: DeviceIdentity | null;
  /**
   * `advance("10m")` lets the host find itself so much later, as after a sleep: waits, retries, time limits, schedules and
   * back-offs that come due on the way are over. What has its own timers (plugins, brokers) does not notice.
   */
  readonly clock = { advance: (duration: string) => this.#advance(duration) };
  readonly #options: TestHostOptions;
  readonly #started: AsyncDisposableStack;
  readonly #folder: HostFolder;
  readonly #broker: TestBroker | undefined;
  readonly #client: TestClient | undefined;
  /** Runs whose result was withheld in this life. */
  readonly #withheld = new Set<string>();
  /** Runs that were handed to the test. */
  readonly #given = new Set<string>();
  #life: Life | undefined;
  #reader: StoreReader | undefined;
  #aheadMs = 0;

  /** See `startTestHost`. */
  static async start(options: TestHostOptions): Promise<TestHost> {
    await using started = new AsyncDisposableStack();
    const { broker: kind, device = { deviceId: "org.example:test-device", tenantId: "test", policyId: "" } } = options;
    const broker = kind === undefined ? undefined : started.use(await startBroker(kind));
    const client = broker === undefined ? undefined : started.use(await connectClient(broker.port, ownTopic));
    const configuration = {
      ...(device === null ? {} : { device: { ...device } }),
      plugins: pluginsOf(options.plugins ?? [], broker),
      ...options.configuration,
    };
    const folder = started.use(new HostFolder(configuration, options.workflows ?? {}));
    const host = new TestHost(options, started.move(), folder, device, broker, client);
    try {
      if (options.faulty !== true) folder.check();
      await host.resume();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(
    options: TestHostOptions,
    started: AsyncDisposableStack,
    folder: HostFolder,
    device: DeviceIdentity | null,
    broker: TestBroker | undefined,
    client: TestClient | undefined,
  ) {
    this.#options = options;
    this.#started = started;
    this.#folder = folder;
    this.device = device;
    this.#broker = broker;
    this.#client = client;
  }

  /** The folder with plugins.json, workflows/ and data/. */
  get directory(): string {
    return this.#folder.path;
  }

  /** The data folder. */
  get data(): string {
    return this.#folder.data;
  }

  /** The process that it is in. */
  get pid(): number {
    return this.#living().pid;
  }

  /** The switch of the broker: `offline()` cuts the host off, `online()` lets it come back. */
  get broker(): TestBroker {
    return this.#broker ?? noBroker();
  }

  /** A client at the broker, which hears everything that is published; the switch does not concern it. */
  get mqtt(): TestClient {
    return this.#client ?? noBroker();
  }

  /** Starts a run and gives it once it has ended, whatever became of the host meanwhile. */
  async run(workflow: string, input: Json = {}, options: { timeoutMs?: number } = {}): Promise<TestRun> {
    return this.ended(await this.start(workflow, input), options);
  }

  /** Starts a run; gives its id once it is durable. Rejects as the engine does (INPUT_INVALID, GROUP_BUSY, ...). */
  async start(workflow: string, input: Json = {}): Promise<string> {
    const runId = await this.#accept(workflow, input);
    this.#given.add(runId);
    return runId;
  }

  /** A run once it has ended. Rejects after `timeoutMs` (60,000 if nothing else is said). */
  async ended(runId: string, { timeoutMs = patienceMs } = {}): Promise<TestRun> {
    const words = () => `the end of run ${runId}: ${JSON.stringify(this.found(runId), null, 2)}\n${this.logText()}`;
    return waitFor(words, () => this.#endedRun(runId), timeoutMs);
  }

  /** The next run of a workflow that a trigger has started, once it has ended; each is given once. */
  async nextRun(workflow: string, { timeoutMs = patienceMs } = {}): Promise<TestRun> {
    const words = () => `a run of ${workflow} that a trigger starts, and its end\n${this.logText()}`;
    const id = await waitFor(words, () => this.#idOfNext(workflow), timeoutMs);
    this.#given.add(id);
    return this.ended(id, { timeoutMs });
  }

  /** A run as the journal has it now; undefined where there is none. */
  found(runId: string): TestRun | undefined {
    const runs = this.#runs();
    const run = runs?.get(runId);
    return run === undefined ? undefined : testRunOf(run, runs!);
  }

  /** All runs, oldest first. */
  runs(workflow?: string): TestRun[] {
    const runs = this.#runs();
    const found = runs?.list(workflow === undefined ? {} : { workflow }) ?? [];
    return found.reverse().map((run) => testRunOf(run, runs!));
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
    const { result, ...report } = await this.#living().step({ uses, input, ...earlier }, signal, onProgress);
    if (result.status === "succeeded")
      return { ...report, output: result.output, unchanged: result.unchanged ?? false };
    if (result.status === "failed") throw new StepFailed(result.error, report);
    throw new Error(`the host stopped while ${uses} was at work`);
  }

  /** What the step's `plan` says, and nothing else; undefined where it has none. Rejects with StepFailed. */
  async plan(uses: string, input: Json = {}): Promise<string | undefined> {
    const lone = { uses, input, planOnly: true };
    const { result, plan, ...facts } = await this.#living().step(lone, undefined, () => {});
    if (result.status === "failed") throw new StepFailed(result.error, facts);
    return plan;
  }

  /** Says something to the runs that wait for it. */
  async signal(name: string, value: Json = null): Promise<{ received: boolean }> {
    return this.#call("signals.send", { name, value, id: randomUUID() });
  }

  async cancel(runId: string): Promise<void> {
    await this.#call("runs.cancel", { run: runId });
  }

  /** The plugins and what became of them. */
  async plugins(): Promise<PluginState[]> {
    return this.#call("plugins.list", {});
  }

  /**
   * Lets the host die by itself, of SIGKILL, at such a moment of a step (`plugin/step`, or its id; of any, if none is
   * named); needs `process: true`. See also `gone`.
   */
  async dieAt(moment: Moment, step?: string): Promise<void> {
    await this.#living().dieAt(moment, step);
  }

  /**
   * From now on, for this life, what such a step (`plugin/step`, or its id) returns does not get into the journal: its
   * run stands still after the step's work, and a `kill` comes before anybody knows of it. So many runs can be killed at
   * that moment at once. A `stop` lets the results through. Needs `process: true`. See also `withheld`.
   */
  async withhold(step: string): Promise<void> {
    await this.#living().withhold(step, (runId) => void this.#withheld.add(runId));
  }

  /** Resolves with true once the run stands still for `withhold`, with false where it has ended without that. */
  async withheld(runId: string, { timeoutMs = patienceMs } = {}): Promise<boolean> {
    const words = () => `a result of run ${runId} to withhold: ${JSON.stringify(this.found(runId), null, 2)}`;
    const stands = await waitFor(
      words,
      () => (this.#withheld.has(runId) ? ("withheld" as const) : this.#endedRun(runId) && ("ended" as const)),
      timeoutMs,
    );
    return stands === "withheld";
  }

  /** Resolves once the host is gone, whoever ended it. */
  async gone(): Promise<void> {
    await this.#life?.gone;
    this.#life = undefined;
  }

  /** kill -9; needs `process: true`. */
  async kill(): Promise<void> {
    await this.#living().kill();
    this.#life = undefined;
  }

  /** Ends the host as SIGTERM does: its runs are suspended. */
  async stop(): Promise<void> {
    await this.#life?.stop();
    this.#life = undefined;
  }

  /**
   * Starts a host on the same folder, after `stop`, `kill` or a death; its clock goes on where that of the last one was.
   * `environment` is for this life alone.
   */
  async resume(more: { environment?: NodeJS.ProcessEnv } = {}): Promise<void> {
    if (this.#life !== undefined) throw new Error("the host is there already: stop it or kill it before");
    this.#withheld.clear();
    const { config, data } = this.#folder;
    const { logLevel = "debug", process: own = false, secrets = {}, environment = {}, faulty = false } = this.#options;
    const options = { config, data, logLevel, aheadMs: this.#aheadMs, onLine: (line: string) => this.#take(line) };
    const named = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`GANTRY_SECRET_${name}`, value]));
    if (own)
      this.#life = await beginElsewhere({ ...options, environment: { ...environment, ...named, ...more.environment } });
    else {
      Object.assign(process.env, named);
      this.#started.defer(() => {
        for (const name of Object.keys(named)) delete process.env[name];
      });
      this.#life = await beginHere(options);
    }
    const plugins = await this.plugins();
    if (!faulty) this.#checkPlugins(plugins);
    if (plugins.some(({ name, state }) => name === "mqtt" && state === "active")) await this.#untilSubscribed();
  }

  /** The log as it would be read in a terminal without colours: for the message of a failed assertion. */
  logText(): string {
    return this.log.map(({ level, msg, time: _, ...facts }) => `${level} ${msg} ${JSON.stringify(facts)}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#reader?.close();
    this.#reader = undefined;
    await this.#started.disposeAsync();
  }

  #living(): Life {
    if (this.#life === undefined) throw new Error("the host is not there: `resume` starts it again");
    return this.#life;
  }

  async #advance(duration: string): Promise<void> {
    const durationMs = parseDuration(duration);
    if (durationMs === undefined) throw new Error(`"${duration}" is no duration such as 10m`);
    this.#aheadMs += durationMs;
    await this.#life?.advance(durationMs);
  }

  #checkPlugins(plugins: PluginState[]): void {
    const others = plugins.filter(({ state }) => state !== "active");
    if (others.length > 0) throw new PluginsNotActive(others, this.logText());
  }

  /** A message of the test that comes before the host's subscriptions would be lost. */
  async #untilSubscribed(): Promise<void> {
    if (this.#broker?.isOnline !== true) return;
    // It asks, and answers itself, once its broker has been asked for all subscriptions; and a broker keeps the order.
    await this.step("mqtt/request", { topic: ownTopic, responseTopic: ownTopic, payload: randomUUID() });
  }

  async #call<Result>(method: string, params: object): Promise<Result> {
    this.#living();
    using client = await connectControl(this.#folder.data);
    if (client === undefined) throw new Error(`the host does not answer\n${this.logText()}`);
    return await client.call<Result>(method, params);
  }

  async #accept(workflow: string, input: Json): Promise<string> {
    const life = this.#living();
    try {
      return (await this.#call<{ runId: string }>("runs.start", { workflow, input })).runId;
    } catch (error) {
      if ((error as Partial<Failure>).code !== "CONTROL_FAILED") throw error;
      // One that dies over the run's first step has accepted it and cannot say so any more.
      await life.gone;
      const newest = this.#runs()?.list({ workflow, limit: 1 })[0];
      if (newest === undefined || this.#given.has(newest.id)) throw error;
      return newest.id;
    }
  }

  // A host that was killed may have been about to make it.
  #runs(): StoreReader["runs"] | undefined {
    try {
      this.#reader ??= openStoreForReading(this.#folder.data);
      return this.#reader.runs;
    } catch (error) {
      if ((error as Partial<Failure>).code === "STORE_MISSING") return undefined;
      throw error;
    }
  }

  #endedRun(runId: string): TestRun | undefined {
    const run = this.#runs()?.get(runId);
    return run?.endedAt == null ? undefined : testRunOf(run, this.#runs()!);
  }

  #idOfNext(workflow: string): string | undefined {
    const found = this.#runs()?.list({ workflow }) ?? [];
    return found.findLast(({ id, endedAt }) => endedAt !== null && !this.#given.has(id))?.id;
  }

  #take(line: string): void {
    // What a program prints past the log is no JSON.
    const parsed = line.startsWith("{") ? (JSON.parse(line) as LogLine) : { level: "info", msg: line, time: "" };
    this.log.push(parsed as LogLine);
  }
}

/** The plugin `mqtt` comes with a broker of the test, with what else the test says of it. */
function pluginsOf(given: NonNullable<TestHostOptions["plugins"]>, broker: TestBroker | undefined): JsonObject[] {
  const entries = given.map(entryOf);
  if (broker === undefined) return entries;
  const isMqtt = ({ plugin }: JsonObject) => plugin === locatePlugin("mqtt", "");
  const { config = {}, ...mqtt } = entries.find(isMqtt) ?? { plugin: "mqtt" };
  const connected = { ...mqtt, config: { ...(config as JsonObject), broker: broker.url } };
  return [connected, ...entries.filter((entry) => !isMqtt(entry))];
}

function noBroker(): never {
  throw new Error('this host has no broker of the test: start it with `broker: "embedded"` or `broker: "mosquitto"`');
}

/**
 * Starts a host with its own folder and, if asked for, a broker at which it has made its subscriptions. Rejects where a
 * document has a fault or a plugin does not become active. Its end (`await using`) stops it and removes everything.
 */
export const startTestHost = (options: TestHostOptions = {}): Promise<TestHost> => TestHost.start(options);
