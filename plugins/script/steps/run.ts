import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { PluginError, parseDuration, type Step, type StepContext } from "gantry";
import { environmentFor } from "../environment.ts";
import { Output } from "../output.ts";
import type { Config, RunInput, RunOutput } from "../plugin.types.ts";
import { type Ending, isOfGate, ProcessGroup } from "../process-group.ts";

/** Between SIGTERM and SIGKILL. */
const graceMs = 2000;

export function run(config: Config): Step<RunInput, RunOutput> {
  return {
    plan: ({ command, directory }) => `runs ${command.join(" ")} in ${directory}`,
    async run({ command, directory, environment, exitCodes }, context) {
      checkDirectory(directory);
      const output = new Output(context.log);
      const group = await launch(command, directory, environmentFor(config.environment, environment), output, context);
      let said = "";
      const ending = await untilEnd(group, context.signal, parseDuration(config.stopTimeout)!).finally(async () => {
        await group.clear();
        said = output.end();
      });
      return judge(ending, said, command[0]!, exitCodes);
    },
  };
}

async function launch(
  command: string[],
  directory: string,
  environment: Record<string, string>,
  output: Output,
  context: StepContext,
) {
  context.signal.throwIfAborted();
  try {
    return await ProcessGroup.launch({
      command,
      directory,
      environment,
      async started(pid) {
        await context.processStarted(pid);
        context.signal.throwIfAborted();
      },
      onOutput: (chunk) => output.take(chunk),
    });
  } catch (cause) {
    if (context.signal.aborted) throw context.signal.reason;
    throw new PluginError("SCRIPT_START_FAILED", `${command[0]} cannot be started: ${(cause as Error).message}`, {
      cause,
    });
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

function judge(
  { exitCode, signal }: Ending,
  output: string,
  program: string,
  { done = [0], retry = [] }: RunInput["exitCodes"],
): RunOutput {
  if (exitCode !== null && isOfGate(output)) refuseByGate(exitCode, program, output);
  if (exitCode !== null && done.includes(exitCode)) return { exitCode, output };
  const said = output === "" ? "" : `: ${output.slice(-500).toWellFormed()}`;
  if (exitCode === null)
    throw new PluginError("SCRIPT_KILLED", `${program} was ended by ${signal}${said}`, { details: { signal } });
  const details = { exitCode, output: output.slice(-2000).toWellFormed() };
  if (retry.includes(exitCode))
    throw new PluginError("SCRIPT_RETRY_LATER", `${program} asks to be run again (exit code ${exitCode})${said}`, {
      details,
    });
  throw new PluginError("SCRIPT_FAILED", `${program} ended with exit code ${exitCode}${said}`, { details });
}

// The exit codes are the shell's own for what it cannot execute; its words depend on the language.
function refuseByGate(exitCode: number, program: string, output: string): void {
  const details = { exitCode, output };
  if (exitCode === 127)
    throw new PluginError("SCRIPT_NOT_FOUND", `${program}, or the interpreter it names, does not exist`, { details });
  if (exitCode === 126) throw new PluginError("SCRIPT_NOT_EXECUTABLE", `${program} may not be executed`, { details });
}

function checkDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PluginError("SCRIPT_DIRECTORY_MISSING", `there is no folder ${directory}`);
}
