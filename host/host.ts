// One host: reads its documents, opens the store, starts the plugins, goes on with the runs of an earlier host, and
// lets the triggers begin. Stopping undoes this in reverse.

import { mkdirSync } from "node:fs";
import { createHostPlugin } from "./builtin/index.ts";
import { Engine } from "./engine/engine.ts";
import type { HostContexts, LoadedWorkflow } from "./engine/workflow.ts";
import { compile, evaluate } from "./expressions/index.ts";
import { type ActivePlugins, activatePlugins } from "./loading/activate.ts";
import type { HostDocuments } from "./loading/read-host.ts";
import type { HostLog } from "./log.ts";
import type { Json, Stop } from "./sdk.ts";
import { openStore } from "./store/open.ts";

export interface HostOptions {
  documents: HostDocuments;
  /** Absolute; made if missing. */
  dataDirectory: string;
  log: HostLog;
  /** Whether triggers start and runs of an earlier host go on; `gantry run` does without. Default true. */
  serve?: boolean;
}

export interface Host {
  readonly engine: Engine;
  readonly plugins: ActivePlugins;
  /** Suspends all runs and ends everything that was started. */
  stop(): Promise<void>;
}

export async function startHost({ documents, dataDirectory, log, serve = true }: HostOptions): Promise<Host> {
  const started = new AsyncDisposableStack();
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    const store = await openStore(dataDirectory);
    started.defer(() => store.close());

    // The engine is made below, since it calls the plugins' steps; none is called before it is there.
    const hostPlugin = createHostPlugin({ signals: { send: (signal) => engine.signal(signal) } });
    const plugins = await activatePlugins(documents, { store, log, dataDirectory, hostPlugin });
    started.defer(() => plugins.stop());

    const contexts: HostContexts = {
      config: documents.catalogue.config,
      device: (documents.device ?? null) as HostContexts["device"],
    };
    const workflows = new Map(documents.workflows.map((workflow) => [workflow.name, workflow]));
    const engine = new Engine({
      store,
      log,
      dataDirectory,
      findStep: plugins.findStep,
      contexts: () => contexts,
      pluginVersion: (name) =>
        plugins.states().find((plugin) => plugin.name === name && plugin.state === "active")?.version,
      findWorkflow: (name) => workflows.get(name),
    });
    started.defer(() => engine.stop());

    if (serve) {
      engine.resume();
      const triggers = new Triggers(documents.workflows, { engine, plugins, contexts, log });
      // Before the engine: while runs are being suspended nothing new comes in.
      started.defer(() => triggers.stop());
      await triggers.start();
    }
    return { engine, plugins, stop: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

interface TriggerSurroundings {
  engine: Engine;
  plugins: ActivePlugins;
  contexts: HostContexts;
  log: HostLog;
}

/** The `on` of every workflow, each started as soon as its plugin is there. */
class Triggers {
  readonly #surroundings: TriggerSurroundings;
  readonly #waiting: { workflow: LoadedWorkflow; index: number }[];
  readonly #stops: Stop[] = [];
  #stopped = false;

  constructor(workflows: LoadedWorkflow[], surroundings: TriggerSurroundings) {
    this.#surroundings = surroundings;
    this.#waiting = workflows.flatMap((workflow) =>
      (workflow.document.on ?? []).map((_, index) => ({ workflow, index })),
    );
    surroundings.plugins.onAvailable(() => void this.start());
  }

  async start(): Promise<void> {
    const { plugins, log } = this.#surroundings;
    for (const entry of [...this.#waiting]) {
      const { trigger } = entry.workflow.document.on![entry.index]!;
      if (this.#stopped || !plugins.hasTrigger(trigger)) continue;
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      try {
        this.#stops.push(await this.#startOne(entry.workflow, entry.index));
      } catch (error) {
        log.error("trigger cannot start", { workflow: entry.workflow.name, trigger, err: error });
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const stop of this.#stops.reverse()) await stop();
  }

  async #startOne(workflow: LoadedWorkflow, index: number): Promise<Stop> {
    const { engine, plugins, contexts, log } = this.#surroundings;
    const { trigger, with: settings = {} } = workflow.document.on![index]!;
    const options = evaluate(compile(settings as Json), { ...contexts } as Record<string, Json>);
    return plugins.startTrigger(
      trigger,
      options,
      (emission) => engine.accept(workflow, emission, `${workflow.name}#${index}`),
      {
        workflow: workflow.name,
        index,
        log: log.child({ workflow: workflow.name }),
      },
    );
  }
}
