// gantry plan: what a run would do, and nothing changed. A running host is asked, since it has the plugins at hand;
// otherwise those that can be started without a trace are started here.

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type ControlClient, connectControl } from "../control/client.ts";
import { findWorkflow } from "../control/named-workflow.ts";
import { createLog } from "../log.ts";
import { type PlannedStep, planRun } from "../planning/plan-run.ts";
import { startSteps } from "../planning/start-steps.ts";
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
  const input = readInput(options.input);
  const workflow = findWorkflow(nameOf(name), documents, log);
  await using steps = await startSteps(workflow, documents, log);
  const dataDirectory = existingFolder(options.data);
  return await planRun(workflow, input, { documents, findStep: steps.findStep, dataDirectory, log });
}

/** The data folder, or where it would be made. */
function existingFolder(data: string): string {
  let folder = resolve(data);
  while (!existsSync(folder)) folder = dirname(folder);
  return folder;
}

const marks = { run: "•", skip: "-", unchanged: "=", maybe: "?" };
const lists = { onFailure: "if it fails: ", finally: "at the end: " };

function line({ depth, id, does, says, outlook, list, undo }: PlannedStep): string {
  const name = id === undefined ? does : `${id} (${does})`;
  const told = `${list === undefined ? "" : lists[list]}${name}${says === "" ? "" : `: ${says}`}`;
  return `${"  ".repeat(depth)}${marks[outlook]} ${plain(told)}${undo === undefined ? "" : `; taken back by ${undo}`}\n`;
}
