// gantry run: one run, watched. Where a host works with the data folder, it carries the run out; otherwise this process
// does, as a host that starts no trigger and leaves other runs alone. What is interrupted goes on with the next host.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { findWorkflow, type WorkflowName } from "../control/named-workflow.ts";
import { GantryError, toFailure } from "../errors.ts";
import { startHost } from "../host.ts";
import type { HostDocuments } from "../loading/read-host.ts";
import { createLog, type HostLog } from "../log.ts";
import type { Json } from "../sdk.ts";
import { openDocuments } from "./open-documents.ts";
import { askHostOr } from "./reach-host.ts";
import { runHere, runOfHost, type WatchedRun, watchRun } from "./watch-run.ts";

export interface RunHereOptions {
  config: string;
  data: string;
  logLevel: string;
  json: boolean;
}

export interface RunOptions extends RunHereOptions {
  /** A JSON file with the input; `-` is standard input. Without it the input is `{}`. */
  input?: string;
}

/** `name` is a file, or the name of a document in a configured folder. */
export async function run(name: string, options: RunOptions): Promise<number> {
  return reportingTo(createLog({ level: options.logLevel }), async () => {
    const input = readInput(options.input);
    const workflow = nameOf(name);
    return askHostOr(
      options.data,
      (client) => watchRun(runOfHost(client, "runs.start", { ...workflow, input }), options.json),
      () =>
        inForeground(options, (host, documents, log) => {
          const found = findWorkflow(workflow, documents, log);
          return runHere(host.engine, () => host.engine.accept(found, { input }));
        }),
    );
  });
}

/** Starts a host for one run, and watches that. Gives 1 where the configuration leaves nothing to start from. */
export async function inForeground(
  { config, data, logLevel, json }: RunHereOptions,
  prepare: (host: Awaited<ReturnType<typeof startHost>>, documents: HostDocuments, log: HostLog) => WatchedRun,
): Promise<number> {
  const opened = openDocuments(config, logLevel);
  if (opened === undefined) return 1;
  const { documents, log } = opened;
  const host = await startHost({ documents, dataDirectory: resolve(data), log, serve: false });
  try {
    return await watchRun(prepare(host, documents, log), json);
  } finally {
    await host.stop();
  }
}

/** Says in the log why it failed; gives the exit code. */
export async function reportingTo(log: HostLog, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const { code, message, remedy } = toFailure(error);
    log.error(message, { code, ...(remedy === undefined ? {} : { remedy }) });
    return 1;
  }
}

export function nameOf(name: string): WorkflowName {
  return name.endsWith(".json") || existsSync(name) ? { file: resolve(name) } : { workflow: name };
}

export function readInput(file: string | undefined): Json {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8")) as Json;
  } catch (cause) {
    throw new GantryError("INPUT_INVALID", `the input ${file} cannot be read as JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}
