// An engine over a real store, with steps made for the test; it can be stopped and begin again with the same data.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine, type EngineOptions } from "../../host/engine/engine.ts";
import type { EngineEvents } from "../../host/engine/events.ts";
import type { Received } from "../../host/engine/signals.ts";
import type { LoadedWorkflow, RunnableStep } from "../../host/engine/workflow.ts";
import { GantryError } from "../../host/errors.ts";
import { createLog } from "../../host/log.ts";
import type { Json, StepContext } from "../../host/sdk.ts";
import { openStore } from "../../host/store/open.ts";
import type { JournalRecord, Run, Store } from "../../host/store/store.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import type { Workflow } from "../../schemas/workflow.types.ts";

export type Work = (input: Json, context: StepContext) => Promise<unknown>;
/** A step that looks first whether everything is so already. */
export type Checked = { run: Work; check: (input: Json) => Promise<unknown> };
export type Document = Omit<Workflow, "name"> & { name?: string };
export type Options = Partial<
  Pick<EngineOptions, "maxOpen" | "maxWaiting" | "mostInputLength" | "pluginVersion" | "contexts" | "findWorkflow">
> & {
  /** The data folder; default: one of its own. */
  directory?: string;
};
type StepEvent = EngineEvents["step"][0];

/** Whatever is given comes back. */
export const echo: Work = async (input) => input;

/** What the step `t/sort` may be given and return as a secret. */
const sortedOutput = { type: "object", properties: { secret: { writeOnly: true } } };

/** `calls`: the workflows it calls, by name. */
export function loaded(document: Document, calls: Record<string, Document> = {}): LoadedWorkflow {
  const whole = { name: "test", ...document } as Workflow;
  const text = JSON.stringify(whole);
  const called = Object.entries(calls).map(([name, inner]) => [name, loaded({ name, ...inner })] as const);
  return { name: whole.name, file: "test.json", document: whole, text, hash: text, calls: new Map(called) };
}

export class Bench {
  engine!: Engine;
  store!: Store;
  readonly directory: string;
  /** What the hosts have logged so far. */
  log = "";
  readonly events: EngineEvents["run"][0][] = [];
  readonly stepEvents: StepEvent[] = [];
  readonly progressEvents: EngineEvents["progress"][0][] = [];
  readonly #steps: Record<string, Work | Checked>;
  readonly #options: Options;

  private constructor(steps: Record<string, Work | Checked>, options: Options) {
    this.#steps = steps;
    this.#options = options;
    this.directory = options.directory ?? mkdtempSync(join(tmpdir(), "gantry-engine-"));
  }

  static async with(
    steps: Record<string, Work | Checked>,
    work: (bench: Bench) => Promise<void>,
    options: Options = {},
  ) {
    const bench = new Bench(steps, options);
    try {
      await bench.#begin();
      await work(bench);
    } finally {
      await bench.stop();
      rmSync(bench.directory, { recursive: true });
    }
  }

  async #begin(): Promise<void> {
    this.store = await openStore(this.directory);
    this.engine = new Engine({
      store: this.store,
      log: createLog({ level: "info", pretty: false, write: (line) => (this.log += line) }),
      dataDirectory: this.directory,
      findStep: (uses) => this.#findStep(uses),
      contexts: () => ({ config: {}, device: null }),
      ...this.#options,
    });
    this.engine.on("run", (event) => this.events.push(event));
    this.engine.on("step", (event) => this.stepEvents.push(event));
    this.engine.on("progress", (event) => this.progressEvents.push(event));
  }

  async stop(): Promise<void> {
    await this.engine.stop();
    await this.store.close();
  }

  /** Another life of the host with what the one before has left. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#begin();
    this.engine.resume();
  }

  async accept(document: Document, input: Json = {}, calls: Record<string, Document> = {}): Promise<string> {
    return (await this.engine.accept(loaded(document, calls), { input })).runId;
  }

  /** Accepts a run and waits for its end. */
  async run(document: Document, input: Json = {}, calls: Record<string, Document> = {}): Promise<Run> {
    return this.engine.waitFor(await this.accept(document, input, calls));
  }

  /** A run as it is stored now. */
  stored(runId: string): Run {
    return this.store.runs.get(runId)!;
  }

  journal(runId: string): JournalRecord[] {
    return this.store.runs.journal(runId);
  }

  async untilStatus(runId: string, status: Run["status"]): Promise<void> {
    await waitFor(`run ${runId} to be ${status}`, () => this.stored(runId).status === status);
  }

  signal(name: string, value: Json = null, id: string = crypto.randomUUID()): Promise<Received> {
    return this.engine.signal({ id, name, value });
  }

  #findStep(uses: string): RunnableStep {
    const step = this.#steps[uses];
    if (step === undefined) throw new GantryError("STEP_UNKNOWN", `no plugin has the step ${uses}`);
    return {
      uses,
      plugin: "test",
      implementation: (typeof step === "function" ? { run: step } : step) as RunnableStep["implementation"],
      checkInput: (input) => ((input as { refuse?: true }).refuse ? ["`refuse` is not known"] : []),
      checkOutput: (output) => ((output as { wrong?: true }).wrong ? ["`wrong` is not known"] : []),
      ...(uses === "t/sort" ? { secretOutput: sortedOutput } : {}),
      errors: {},
      services: {},
      secret: () => Promise.reject(new Error("none")),
      database: () => {
        throw new Error("none");
      },
      fetch,
    };
  }
}

/** Steps that each write down what they were told (`name` of their input), and end when the test says so. */
export class Stage {
  /** `begun NAME`, `ended NAME`, `aborted NAME` in the order in which it happened. */
  readonly told: string[] = [];
  readonly #open = new Map<string, () => void>();

  readonly steps: Record<string, Work> = {
    /** Ends at once. */
    "t/do": async (input) => void this.told.push(nameOf(input)),
    /** Fails at once. */
    "t/fail": async (input) => {
      this.told.push(nameOf(input));
      throw new Error("it fails");
    },
    /** Ends when `let` says so; when it is told to end, it says so and ends. */
    "t/hold": (input, { signal }) =>
      new Promise((resolve, reject) => {
        const name = nameOf(input);
        this.told.push(`begun ${name}`);
        this.#open.set(name, () => {
          this.told.push(`ended ${name}`);
          resolve({ name });
        });
        const onAbort = () => {
          this.told.push(`aborted ${name}`);
          reject(signal.reason);
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener("abort", onAbort, { once: true });
      }),
  };

  until(told: string): Promise<unknown> {
    return waitFor(`${told} among ${this.told}`, () => this.told.includes(told));
  }

  async let(name: string): Promise<void> {
    await this.until(`begun ${name}`);
    this.#open.get(name)!();
  }
}

const nameOf = (input: Json) => String((input as { name?: Json }).name ?? "");

export const act = (name: string) => ({ uses: "t/do", with: { name } });
export const hold = (name: string) => ({ uses: "t/hold", with: { name } });
export const fails = (name: string) => ({ uses: "t/fail", with: { name } });
