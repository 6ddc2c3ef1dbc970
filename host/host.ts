// One host: reads its documents, opens the store, starts the plugins, goes on with the runs of an earlier host, and
// lets the triggers begin. Stopping undoes this in reverse.

import { createHostPlugin } from "./builtin/index.ts";
import { type Clock, systemClock } from "./clock.ts";
import { startControl } from "./control/server.ts";
import { parseDuration } from "./duration.ts";
import { Engine } from "./engine/engine.ts";
import type { HostContexts } from "./engine/workflow.ts";
import { activatePlugins } from "./loading/activate.ts";
import type { ActivateOptions, ActivePlugins } from "./loading/active-plugins.ts";
import type { HostDocuments } from "./loading/read-host.ts";
import type { HostLog } from "./log.ts";
import { RunningTriggers } from "./running-triggers.ts";
import { openStore } from "./store/open.ts";
import type { Store } from "./store/store.ts";

export interface HostOptions {
  documents: HostDocuments;
  /** Absolute; made if missing. */
  dataDirectory: string;
  log: HostLog;
  /** Whether triggers start and runs of an earlier host go on; `gantry run` does without. Default true. */
  serve?: boolean;
  /** Default: the system's. */
  clock?: Clock;
  /** How plugins are kept, where it is not the default. */
  plugins?: Pick<ActivateOptions, "development" | "patience">;
}

export interface Host {
  readonly engine: Engine;
  readonly plugins: ActivePlugins;
  readonly store: Store;
  /**
   * Goes on with other workflows; runs under way keep what they began with. What else is in the documents (the plugins,
   * the device) must be what it was, or have been replaced in `plugins`.
   */
  update(documents: HostDocuments): Promise<void>;
  /** Suspends all runs and ends everything that was started. */
  stop(): Promise<void>;
}

export async function startHost(options: HostOptions): Promise<Host> {
  const { dataDirectory, log, serve = true, clock = systemClock } = options;
  let { documents } = options;
  const started = new AsyncDisposableStack();
  try {
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
    const plugins = await activatePlugins(documents, {
      ...options.plugins,
      store,
      log,
      clock,
      dataDirectory,
      hostPlugin,
    });
    started.defer(() => plugins.stop());

    const contexts = (): HostContexts => ({
      config: documents.catalogue.config,
      device: (documents.device ?? null) as HostContexts["device"],
    });
    const engine = new Engine({
      store,
      log,
      clock,
      dataDirectory,
      findStep: plugins.stepWhenReady,
      contexts,
      pluginVersion: (name) =>
        plugins.states().find((plugin) => plugin.name === name && plugin.state === "active")?.version,
      answer: plugins.answerTrigger,
      findWorkflow: (name) => documents.workflows.find((workflow) => workflow.name === name),
    });
    started.defer(() => engine.stop());

    let triggers: RunningTriggers | undefined;
    if (serve) {
      engine.resume();
      triggers = new RunningTriggers(documents.workflows, documents.brokenWorkflows, {
        accept: (workflow, emission, source, trigger) => engine.accept(workflow, emission, source, trigger),
        plugins,
        contexts,
        log,
      });
      // Before the engine: while runs are being suspended nothing new comes in.
      started.defer(() => triggers!.stop());
      await triggers.start();
    }
    const control = await startControl({
      engine,
      plugins,
      store,
      get documents() {
        return documents;
      },
      dataDirectory,
      log,
      serve,
    });
    started.defer(() => control.stop());
    return {
      engine,
      plugins,
      store,
      async update(next) {
        documents = next;
        await triggers?.update(next.workflows, next.brokenWorkflows);
      },
      stop: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}
