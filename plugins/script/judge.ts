// What a program's end means for the step.

import { type JsonObject, PluginError } from "gantry";
import { isOfGate, limitRefusedExitCode } from "./gate.ts";
import type { RunInput, RunOutput } from "./plugin.types.ts";
import type { Ending } from "./process-group.ts";
import type { Status } from "./status.ts";

export interface Outcome {
  ending: Ending;
  /** The last part of what it said. */
  output: string;
  outputFile: string;
  status: Status;
}

/** The step's output, or one of SCRIPT_FAILED, _FAILED_FOR_GOOD, _RETRY_LATER, _KILLED and those of the gate. */
export function judge(
  { ending: { exitCode, signal }, output, outputFile, status }: Outcome,
  program: string,
  { done = [0], doneSignals = [], retry = [], failed = [] }: RunInput["exitCodes"],
): RunOutput {
  if (exitCode !== null && isOfGate(output)) refuseByGate(exitCode, program, output);
  const isDone = exitCode === null ? doneSignals.includes(signal!) : done.includes(exitCode);
  if (isDone) return { exitCode, signal, output, outputFile, status };
  const said = output === "" ? "" : `: ${output.slice(-500).toWellFormed()}`;
  const details: JsonObject = {
    exitCode,
    signal,
    output: output.slice(-2000).toWellFormed(),
    outputFile,
    status: { ...status },
  };
  const fail = (code: string, message: string) => new PluginError(code, `${program} ${message}${said}`, { details });
  if (exitCode === null) throw fail("SCRIPT_KILLED", `was ended by ${signal}`);
  if (retry.includes(exitCode)) throw fail("SCRIPT_RETRY_LATER", `asks to be run again (exit code ${exitCode})`);
  const code = failed.includes(exitCode) ? "SCRIPT_FAILED_FOR_GOOD" : "SCRIPT_FAILED";
  throw fail(code, `ended with exit code ${exitCode}`);
}

// The exit codes are the shell's own for what it cannot execute; its words depend on the language.
function refuseByGate(exitCode: number, program: string, output: string): void {
  // It is none of the program's, which never ran.
  const details = { output };
  if (exitCode === 127)
    throw new PluginError("SCRIPT_NOT_FOUND", `${program}, or the interpreter it names, does not exist`, { details });
  if (exitCode === 126) throw new PluginError("SCRIPT_NOT_EXECUTABLE", `${program} may not be executed`, { details });
  if (exitCode === limitRefusedExitCode)
    throw new PluginError("SCRIPT_LIMIT_REFUSED", `${program} cannot have this limit of memory`, { details });
}
