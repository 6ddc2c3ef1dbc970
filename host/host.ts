// One host: reads its documents, opens the store, starts the plugins, goes on with the runs of an earlier host, and
// lets the triggers begin. Stopping undoes this in reverse.

import { mkdirSync } from "node:fs";
import { createHostPlugin } from "./builtin/index.ts";
import { type Clock, systemClock } from "./clock.ts";
import { startControl } from "./control/server.ts";
import { parseDuration } from "./duration.ts";
import { Engine } from "./engine/engine.ts";
import type { HostContexts } from "./engine/workflow.ts";
import { type ActivePlugins, activatePlugins } from "./loading/activate.ts";
import type { HostDocuments } from "./loading/read-host.ts";
import type { HostLog } from "./log.ts";
import { RunningTriggers } from "./running-triggers.ts";
import { openStore } from "./store/open.ts";

export interface HostOptions {
  documents: HostDocuments;
  /** Absolute; made if missing. */
  dataDirectory: string;
  log: HostLog;
  /** Whether triggers start and runs of an earlier host go on; `gantry run` does without. Default true. */
  serve?: boolean;
  /** Default: the system's. */
  clock?: Clock;
}

export interface Host {
  readonly engine: Engine;
  readonly plugins: ActivePlugins;
  /** Suspends all runs and ends everything that was started. */
  stop(): Promise<void>;
}

export async function startHost(options: HostOptions): Promise<Host> {
  const { documents, dataDirectory, log, serve = true, clock = systemClock } = options;
  const started = new AsyncDisposableStack();
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    const store = await openStore(dataDirectory, {
      onRecovered: ({ code, message, setAside }) => log.error(message, { code, ...(setAside && { setAside }) }),
    });
    started.defer(() => store.close());
    const { maxRuns, maxAge } = documents.configuration?.retention ?? {};
    store.retention({
      ...(maxRuns === undefined ? {} : { maxRuns }),
      ...(maxAge === undefined ? {} : { maxAgeMs: parseDuration(maxAge)! }),
    });

    // The engine is made below, since it calls the plugins' steps; none is called before it is there.
    const hostPlugin = createHostPlugin({ clock, signals: { send: (signal) => engine.signal(signal) } });
    const plugins = await activatePlugins(documents, { store, log, clock, dataDirectory, hostPlugin });
    started.defer(() => plugins.stop());

    const contexts: HostContexts = {
      config: documents.catalogue.config,
      device: (documents.device ?? null) as HostContexts["device"],
    };
    const workflows = new Map(documents.workflows.map((workflow) => [workflow.name, workflow]));
    const engine = new Engine({
      store,
      log,
      clock,
      dataDirectory,
      findStep: plugins.findStep,
      contexts: () => contexts,
      pluginVersion: (name) =>
        plugins.states().find((plugin) => plugin.name === name && plugin.state === "active")?.version,
      answer: plugins.answerTrigger,
      findWorkflow: (name) => workflows.get(name),
    });
    started.defer(() => engine.stop());

    if (serve) {
      engine.resume();
      const triggers = new RunningTriggers(documents.workflows, documents.brokenWorkflows, {
        accept: (workflow, emission, source, trigger) => engine.accept(workflow, emission, source, trigger),
        plugins,
        contexts,
        log,
      });
      // Before the engine: while runs are being suspended nothing new comes in.
      started.defer(() => triggers.stop());
      await triggers.start();
    }
    const control = await startControl({ engine, plugins, store, documents, dataDirectory, log, serve });
    started.defer(() => control.stop());
    return { engine, plugins, stop: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}
