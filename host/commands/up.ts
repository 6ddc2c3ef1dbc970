// gantry up: starts a host and serves until it is told to stop.

import { resolve } from "node:path";
import type { Clock } from "../clock.ts";
import { collectEarly } from "../collect-early.ts";
import { type Host, startHost } from "../host.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { openDocuments } from "./open-documents.ts";

export interface UpOptions {
  /** Path of plugins.json. */
  config: string;
  /** The data folder. */
  data: string;
  logLevel: string;
  /** Default: the system's. */
  clock?: Clock;
  /** Called once the host serves. */
  onReady?: (host: Host) => void;
}

/** Ends the process with 0 once SIGTERM or SIGINT has suspended the runs; resolves with 1 when nothing can be started. */
export async function up({ config, data, logLevel, clock, onReady }: UpOptions): Promise<number> {
  collectEarly();
  const opened = openDocuments(config, logLevel);
  if (opened === undefined) return 1;
  const { documents, log } = opened;
  using interrupt = watchInterrupt();
  const host = await startHost({
    documents,
    dataDirectory: resolve(data),
    log,
    ...(clock === undefined ? {} : { clock }),
  });
  log.info("gantry ready", { workflows: documents.workflows.length, plugins: documents.plugins.length });
  onReady?.(host);
  const signal = await interrupt.told;
  log.info(`${signal}: suspending`);
  await host.stop();
  log.info("stopped");
  // What a plugin forgot to end must not keep the process.
  process.exit(0);
}
