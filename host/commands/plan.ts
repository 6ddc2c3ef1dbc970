// gantry plan: what a run would do, and nothing changed. A running host is asked, since it has the plugins at hand;
// otherwise they are started here, for a data folder that is thrown away.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type ControlClient, connectControl } from "../control/client.ts";
import { findWorkflow } from "../control/named-workflow.ts";
import { startHost } from "../host.ts";
import { createLog } from "../log.ts";
import { type PlannedStep, planRun } from "../planning/plan-run.ts";
import { plain } from "../terminal/plain.ts";
import { openDocuments } from "./open-documents.ts";
import { nameOf, type RunOptions, readInput, reportingTo } from "./run.ts";

/** `name` is a file, or the name of a document in a configured folder. */
export async function plan(name: string, options: RunOptions): Promise<number> {
  return reportingTo(createLog({ level: options.logLevel }), async () => {
    const client = await connectControl(options.data);
    const steps = client === undefined ? await planHere(name, options) : await askHost(client, name, options);
    if (steps === undefined) return 1;
    if (options.json) for (const step of steps) process.stdout.write(`${JSON.stringify(step)}\n`);
    else process.stdout.write(steps.map(line).join(""));
    return 0;
  });
}

async function askHost(client: ControlClient, name: string, { input }: RunOptions): Promise<PlannedStep[]> {
  using asked = client;
  return await asked.call<PlannedStep[]>("runs.plan", { ...nameOf(name), input: readInput(input) });
}

async function planHere(name: string, options: RunOptions): Promise<PlannedStep[] | undefined> {
  const opened = openDocuments(options.config, options.logLevel);
  if (opened === undefined) return undefined;
  const { documents, log } = opened;
  const workflow = findWorkflow(nameOf(name), documents, log);
  const dataDirectory = await mkdtemp(join(tmpdir(), "gantry-plan-"));
  const host = await startHost({ documents, dataDirectory, log, serve: false });
  try {
    const { findStep } = host.plugins;
    const surroundings = { documents, findStep, dataDirectory: resolve(options.data), log };
    return await planRun(workflow, readInput(options.input), surroundings);
  } finally {
    await host.stop();
    await rm(dataDirectory, { recursive: true });
  }
}

const marks = { run: "•", skip: "-", unchanged: "=", maybe: "?" };

function line({ depth, id, does, says, outlook }: PlannedStep): string {
  const name = id === undefined ? does : `${id} (${does})`;
  return `${"  ".repeat(depth)}${marks[outlook]} ${plain(name)}${says === "" ? "" : `: ${plain(says)}`}\n`;
}
