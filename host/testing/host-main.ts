// The main module of a test's host process: `gantry up`, with a clock that the test moves and a line to the test.

import { up } from "../commands/up.ts";
import type { Host } from "../host.ts";
import { createLog } from "../log.ts";
import type { Progress } from "../sdk.ts";
import type { LifeOptions } from "./life.ts";
import { type LoneStep, type LoneStepReport, performAlone } from "./lone-step.ts";
import { MovableClock } from "./movable-clock.ts";
import type { Moment } from "./step-outcome.ts";
import { withholdResults } from "./withheld-results.ts";

/** What the test may ask; each gets one answer, but for an abort. */
export type Question = { id: number } & (
  | { advance: number }
  | { step: LoneStep }
  | { dieAt: Moment; of?: string }
  | { withhold: string }
  | { abort: true }
);

export type Answer =
  | { ready: true }
  | { withheld: string }
  | { to: number; progress: Progress }
  | { to: number; report?: LoneStepReport };

const options = JSON.parse(process.argv[2]!) as Omit<LifeOptions, "onLine">;
const { data, logLevel } = options;
const clock = new MovableClock(options.aheadMs);
const log = createLog({ level: logLevel, pretty: false });
const aborts = new Map<number, AbortController>();
const answer = (message: Answer) => void process.send?.(message);

// A test that was killed stops nothing.
process.on("disconnect", () => process.exit(1));
const exitCode = await up({
  ...options,
  clock,
  onReady(host) {
    process.on("message", (question: Question) => void take(question, host));
    answer({ ready: true });
  },
});
// The line to the test would keep it.
process.exit(exitCode);

async function take(question: Question, host: Host): Promise<void> {
  const { id } = question;
  if ("abort" in question) return aborts.get(id)?.abort(new Error("the test ends the step"));
  if ("step" in question) return performStep(id, question.step, host);
  if ("advance" in question) clock.advance(question.advance);
  else if ("withhold" in question) {
    const release = withholdResults(host, question.withhold, (runId) => answer({ withheld: runId }));
    // A host that is stopped waits for its runs.
    process.once("SIGTERM", release);
  } else dieAt(question.dieAt, question.of, host);
  answer({ to: id });
}

async function performStep(id: number, lone: LoneStep, { plugins }: Host): Promise<void> {
  const controller = new AbortController();
  aborts.set(id, controller);
  const { findStep } = plugins;
  const onProgress = (progress: Progress) => answer({ to: id, progress });
  const report = await performAlone(lone, { findStep, dataDirectory: data, log, clock, controller, onProgress });
  aborts.delete(id);
  answer({ to: id, report });
}

// The engine tells of a step before it hands the record of it to the store, so that none of it is on disk.
function dieAt(moment: Moment, step: string | undefined, { engine }: Host): void {
  const die = ({ uses, id }: { uses: string; id?: string }) => {
    if (step === undefined || step === uses || step === id) process.kill(process.pid, "SIGKILL");
  };
  if (moment === "progress") engine.on("progress", die);
  else {
    const statuses: string[] = moment === "succeeded" ? ["succeeded", "unchanged"] : [moment];
    engine.on("step", (event) => statuses.includes(event.status) && die(event));
  }
}
