// gantry dev: a host that follows the files of its plugins and workflows, for who writes them.

import { resolve } from "node:path";
import { DevSession } from "../development/session.ts";
import { developmentEvents } from "../development/shown-events.ts";
import { createLog } from "../log.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { readInput } from "./run.ts";

export interface DevOptions {
  config: string;
  data: string;
  logLevel: string;
  json: boolean;
  /** `plugin/step`: run at the start and after each change, with `input`. */
  step?: string;
  /** A JSON file; `-` is standard input. */
  input?: string;
  /** False: nothing is run again by itself. */
  repeat: boolean;
  /** How long steps under way may go on when their plugin is replaced, in milliseconds. */
  patience: number;
}

/** Ends the process with 0 on SIGTERM or SIGINT; rejects where no host can be started. */
export async function dev(options: DevOptions): Promise<number> {
  const { config, data, logLevel, json, step, input, repeat, patience } = options;
  using interrupt = watchInterrupt();
  const session = new DevSession({
    config,
    dataDirectory: resolve(data),
    log: createLog({ level: logLevel }),
    patience: { drainMs: patience, graceMs: 2000 },
    tell: developmentEvents(process.stdout, json),
    step: step === undefined ? undefined : { uses: step, input: readInput(input) },
    repeats: repeat,
  });
  await session.run(interrupt.told);
  // What a plugin forgot to end must not keep the process.
  process.exit(0);
}
