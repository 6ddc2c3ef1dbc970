// Shows one run while it goes on, whoever carries it out, and gives the exit code of its end.

import { EventEmitter } from "node:events";
import type { ControlClient } from "../control/client.ts";
import type { Engine } from "../engine/engine.ts";
import type { EngineEvents } from "../engine/events.ts";
import { GantryError, toFailure } from "../errors.ts";
import type { Run } from "../store/store.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { plain } from "../terminal/plain.ts";
import { showProgress } from "../terminal/progress.ts";
import { asJson } from "./runs.ts";

export interface WatchedRun {
  /** Of this run, and perhaps of others that are none of a person's business. */
  events: EventEmitter<EngineEvents>;
  start(): Promise<{ runId: string }>;
  waitFor(runId: string): Promise<Run>;
  /** What becomes of the run when nobody watches it any more. */
  left(runId: string): string;
}

/** A run that the host behind the socket carries out. */
export function runOfHost(client: ControlClient, method: "runs.start" | "runs.retry", params: object): WatchedRun {
  const events = new EventEmitter<EngineEvents>();
  client.onNotification(({ method: name, params: facts }) => {
    if (name === "events.run" || name === "events.step" || name === "events.progress")
      events.emit(name.slice("events.".length) as "step", facts as unknown as EngineEvents["step"][0]);
  });
  return {
    events,
    start: () => client.call(method, { ...params, follow: true }),
    async waitFor(run) {
      try {
        return await client.call<Run>("runs.wait", { run }, { patient: true });
      } catch (error) {
        if (!["CONTROL_FAILED", "HOST_STOPPING"].includes(toFailure(error).code)) throw error;
        throw new GantryError("HOST_STOPPING", `the host has ended; run ${run} goes on when it starts again`);
      }
    },
    left: (run) => `run ${run} goes on in the host; \`gantry cancel ${run}\` ends it`,
  };
}

/** A run that this process carries out. */
export function runHere(engine: Engine, start: () => Promise<{ runId: string }>): WatchedRun {
  return {
    events: engine,
    start,
    waitFor: (run) => engine.waitFor(run),
    left: (run) => `run ${run} is suspended; it goes on with \`gantry up\``,
  };
}

/** Ctrl-C leaves the run, with exit code 1. Rejects with what `start` and `waitFor` reject with. */
export async function watchRun(run: WatchedRun, json: boolean): Promise<number> {
  using interrupt = watchInterrupt();
  const stopShowing = json ? printEvents(run.events) : showProgress(run.events, process.stdout);
  let ended: Run | undefined;
  let runId: string;
  try {
    ({ runId } = await run.start());
    ended = await Promise.race([run.waitFor(runId), interrupt.told.then(() => undefined)]);
  } finally {
    stopShowing();
  }
  if (ended === undefined) {
    if (json) process.stdout.write(`${JSON.stringify({ event: "left", run: runId, message: run.left(runId) })}\n`);
    else process.stdout.write(`${run.left(runId)}\n`);
    return 1;
  }
  if (json) process.stdout.write(`${JSON.stringify(asJson(ended))}\n`);
  else printEnd(ended);
  return ended.status === "succeeded" ? 0 : 1;
}

/** One object a line: what the engine tells while it works. */
function printEvents(events: EventEmitter<EngineEvents>): () => void {
  const print = (event: string) => (facts: object) => process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
  const listeners = { run: print("run"), step: print("step"), progress: print("progress") } as const;
  events.on("run", listeners.run).on("step", listeners.step).on("progress", listeners.progress);
  return () => void events.off("run", listeners.run).off("step", listeners.step).off("progress", listeners.progress);
}

function printEnd({ id, workflow, status, output, error }: Run): void {
  process.stdout.write(`${workflow} ${status} (run ${id})\n`);
  if (error !== null) {
    process.stdout.write(
      `  ${error.step === undefined ? "" : `${error.step}: `}${plain(`${error.message} (${error.code})`)}\n`,
    );
    if (error.place !== undefined) process.stdout.write(`  at ${plain(error.place)}\n`);
    if (error.remedy !== undefined) process.stdout.write(`  ${plain(error.remedy)}\n`);
  } else if (output !== null && Object.keys(output).length > 0) {
    process.stdout.write(`${JSON.stringify(output, null, 2)}\n`);
  }
}
