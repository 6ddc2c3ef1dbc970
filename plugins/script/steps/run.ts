import { createHash } from "node:crypto";
import { closeSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PluginError, parseDuration, type Step, type StepContext } from "gantry";
import { accountFor } from "../account.ts";
import { environmentFor } from "../environment.ts";
import { startFailure } from "../failures.ts";
import { judge } from "../judge.ts";
import { Output } from "../output.ts";
import { OutputFile } from "../output-file.ts";
import type { Pipes } from "../pipes.ts";
import type { Config, RunInput, RunOutput } from "../plugin.types.ts";
import { type Ending, ProcessGroup } from "../process-group.ts";
import { openInput } from "../standard-input.ts";
import { StatusFile } from "../status-file.ts";
import { StatusLines } from "../status-lines.ts";
import { StatusReports } from "../status-reports.ts";

/** Between SIGTERM and SIGKILL. */
const graceMs = 2000;

export function run(config: Config, pipes: Pipes): Step<RunInput, RunOutput> {
  return {
    plan: ({ command, directory, user }) =>
      `runs ${command.join(" ")} in ${directory}${user === undefined ? "" : ` as ${user}`}`,

    async run(input, context) {
      const { command, directory, statusFrom, statusFile: statusName, exitCodes } = input;
      checkDirectory(directory);
      checkStatusName(statusName);
      const file = new OutputFile(join(context.directory, fileNameFor(context)), config.maxOutputBytes, context.log);
      const output = new Output(context.log, file);
      const status = new StatusReports(context.progress);
      const say = status.say.bind(status);
      const statusFile = statusFrom === "file" ? await StatusFile.watch(directory, statusName, say) : undefined;
      const statusLines = statusFrom === "descriptor" ? new StatusLines(say) : undefined;
      let said = "";
      let ending: Ending;
      try {
        const group = await launch(input, config, pipes, output, statusLines, context);
        try {
          ending = await untilEnd(group, context.signal, parseDuration(config.stopTimeout)!);
        } finally {
          await group.clear();
        }
      } finally {
        await statusFile?.end();
        said = output.end();
      }
      return judge({ ending, output: said, outputFile: file.path, status: status.last }, command[0]!, exitCodes);
    },
  };
}

async function launch(
  input: RunInput,
  config: Config,
  pipes: Pipes,
  output: Output,
  statusLines: StatusLines | undefined,
  context: StepContext,
): Promise<ProcessGroup> {
  const { command, directory, environment, niceness, memoryBytes } = input;
  const account = accountFor(input, config);
  context.signal.throwIfAborted();
  const standardInput =
    input.input === undefined ? undefined : openInput(context.directory, `.${fileNameFor(context)}.input`, input.input);
  try {
    return await ProcessGroup.launch({
      command,
      directory,
      environment: environmentFor(config.environment, account?.environment ?? {}, environment),
      account,
      input: standardInput ?? "ignore",
      niceness,
      memoryBytes,
      pipes,
      async started(pid) {
        await context.processStarted(pid);
        context.signal.throwIfAborted();
      },
      onOutput: (chunk) => output.take(chunk),
      onStatus: statusLines && ((chunk) => statusLines.take(chunk)),
    });
  } catch (cause) {
    if (context.signal.aborted) throw context.signal.reason;
    throw startFailure(cause, input);
  } finally {
    if (standardInput !== undefined) closeSync(standardInput);
  }
}

/** The program's own end, or the end it is brought to when the attempt is aborted; then this rejects. */
async function untilEnd(group: ProcessGroup, signal: AbortSignal, stopTimeoutMs: number): Promise<Ending> {
  const aborted = new Promise<"aborted">((resolve) => {
    if (signal.aborted) resolve("aborted");
    else signal.addEventListener("abort", () => resolve("aborted"), { once: true });
  });
  const first = await Promise.race([group.ended(), aborted]);
  if (first !== "aborted") return first;
  // When only the host stops, a program that is nearly done may finish: that saves its repetition.
  if ((signal.reason as { code?: string }).code === "HOST_STOPPING") {
    const patience = new AbortController();
    const late = sleep(stopTimeoutMs, undefined, { signal: patience.signal }).catch(() => undefined);
    const done = await Promise.race([group.ended(), late]);
    patience.abort();
    if (done !== undefined) return done;
  }
  await group.end(graceMs);
  throw signal.reason;
}

/** The same for each attempt at a step; several steps of a run have files of their own. */
function fileNameFor({ idempotencyKey }: StepContext): string {
  return `output-${createHash("sha256").update(idempotencyKey).digest("hex").slice(0, 12)}.log`;
}

function checkDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PluginError("SCRIPT_DIRECTORY_MISSING", `there is no folder ${directory}`);
}

function checkStatusName(name: string): void {
  if (!["", ".", ".."].includes(name) && !/[/\0]/.test(name)) return;
  throw new PluginError("SCRIPT_STATUS_NAME_INVALID", `${JSON.stringify(name)} is no name of a file`);
}
