// gantry run: one run in the foreground. It uses the data folder like a host does, but starts no trigger and leaves the
// runs of other hosts alone; a run that is interrupted goes on with the next `gantry up`.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { LoadedWorkflow } from "../engine/workflow.ts";
import { GantryError, toFailure } from "../errors.ts";
import { type Host, startHost } from "../host.ts";
import { loadWorkflow } from "../loading/load-workflow.ts";
import type { HostDocuments } from "../loading/read-host.ts";
import type { HostLog } from "../log.ts";
import { nearest } from "../nearest.ts";
import type { Json } from "../sdk.ts";
import type { Run } from "../store/store.ts";
import { plain } from "../terminal/plain.ts";
import { showProgress } from "../terminal/progress.ts";
import { openDocuments } from "./open-documents.ts";

export interface RunOptions {
  /** A JSON file with the input; `-` is standard input. Without it the input is `{}`. */
  input?: string;
  config: string;
  data: string;
  logLevel: string;
  json: boolean;
}

/** `name` is a file, or the name of a document in a configured folder. */
export async function run(name: string, options: RunOptions): Promise<number> {
  const opened = openDocuments(options.config, options.logLevel);
  if (opened === undefined) return 1;
  const { documents, log } = opened;
  try {
    const workflow = findWorkflow(name, documents, log);
    const input = readInput(options.input);
    const host = await startHost({ documents, dataDirectory: resolve(options.data), log, serve: false });
    try {
      return await runOnce(host, workflow, input, options.json);
    } finally {
      await host.stop();
    }
  } catch (error) {
    const { code, message, remedy } = toFailure(error);
    log.error(message, { code, ...(remedy === undefined ? {} : { remedy }) });
    return 1;
  }
}

async function runOnce(host: Host, workflow: LoadedWorkflow, input: Json, json: boolean): Promise<number> {
  const stopShowing = json ? printEvents(host) : showProgress(host.engine, process.stdout);
  const interrupted = new Promise<undefined>((resolve) => process.once("SIGINT", () => resolve(undefined)));
  const { runId } = await host.engine.accept(workflow, { input });
  const ended = await Promise.race([host.engine.waitFor(runId), interrupted]);
  stopShowing();
  if (ended === undefined) {
    process.stdout.write(`run ${runId} is suspended; it goes on with \`gantry up\`\n`);
    return 1;
  }
  if (json) process.stdout.write(`${JSON.stringify(ended)}\n`);
  else printEnd(ended);
  return ended.status === "succeeded" ? 0 : 1;
}

function findWorkflow(name: string, documents: HostDocuments, log: HostLog): LoadedWorkflow {
  if (!name.endsWith(".json") && !existsSync(name)) {
    const all = [...documents.workflows, ...documents.inactiveWorkflows];
    const found = all.find((workflow) => workflow.name === name);
    if (found !== undefined) return found;
    const meant = nearest(
      name,
      all.map((workflow) => workflow.name),
    );
    throw new GantryError(
      "WORKFLOW_UNKNOWN",
      `no workflow is called ${name}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
    );
  }
  const { workflow, faults } = loadWorkflow(resolve(name), documents.catalogue, { named: true });
  for (const { message, file, line, column, code, severity } of faults) {
    log[severity === "fault" ? "error" : "info"](message, { file, line, column, code });
  }
  if (workflow !== undefined) return workflow;
  throw new GantryError("WORKFLOW_BROKEN", `${name} has faults`);
}

function readInput(file: string | undefined): Json {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8")) as Json;
  } catch (cause) {
    throw new GantryError("INPUT_INVALID", `the input ${file} cannot be read as JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** One object a line: what the engine tells while it works. */
function printEvents({ engine }: Host): () => void {
  const print = (event: string) => (facts: object) => process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
  const listeners = { step: print("step"), progress: print("progress") } as const;
  engine.on("step", listeners.step).on("progress", listeners.progress);
  return () => void engine.off("step", listeners.step).off("progress", listeners.progress);
}

function printEnd({ id, workflow, status, output, error }: Run): void {
  process.stdout.write(`${workflow} ${status} (run ${id})\n`);
  if (error !== null) {
    process.stdout.write(
      `  ${error.step === undefined ? "" : `${error.step}: `}${plain(error.message)} (${error.code})\n`,
    );
    if (error.remedy !== undefined) process.stdout.write(`  ${error.remedy}\n`);
  } else if (output !== null && Object.keys(output).length > 0) {
    process.stdout.write(`${JSON.stringify(output, null, 2)}\n`);
  }
}
