// The step in a folder of its own, and what is alive of what it started.

import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../../host/errors.ts";
import type { JsonObject, StepContext } from "../../../host/sdk.ts";
import type { RunOutput } from "../../../plugins/script/plugin.types.ts";
import { failureOf, type RecordedContext, runStep, stepContext } from "../../support/step-context.ts";

export interface Running extends Disposable {
  context: RecordedContext;
  /** Absolute path of a file in the working directory. */
  file(name: string): string;
  exists(name: string): boolean;
  read(name: string): string;
  /** Writes an executable file and returns its path. */
  write(name: string, content: string): string;
  run(command: string[], input?: JsonObject): Promise<RunOutput>;
  /** A line of shell. */
  shell(line: string, input?: JsonObject): Promise<RunOutput>;
  refused(command: string[], input?: JsonObject): Promise<Failure>;
}

export function running(config: JsonObject = {}, overrides: Partial<StepContext> = {}): Running {
  const context = stepContext(overrides);
  const { directory } = context;
  const file = (name: string) => join(directory, name);
  const run = (command: string[], input: JsonObject = {}) =>
    runStep<RunOutput>("script", "run", { command, directory, ...input }, context, config);
  return {
    context,
    file,
    exists: (name) => existsSync(file(name)),
    read: (name) => readFileSync(file(name), "utf8"),
    write(name, content) {
      writeFileSync(file(name), content);
      chmodSync(file(name), 0o755);
      return file(name);
    },
    run,
    shell: (line, input) => run(["/bin/sh", "-c", line], input),
    refused: (command, input) => failureOf("script", run(command, input)),
    [Symbol.dispose]: () => context[Symbol.dispose](),
  };
}

/** Exit code and output of a program. */
export const ending = ({ exitCode, output }: RunOutput) => ({ exitCode, output });

/** Processes of this group that are not dead. */
export function membersOf(group: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        const [state, , of] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return Number(of) === group && state !== "Z" && state !== "X";
      } catch {
        return false;
      }
    })
    .map(Number);
}
