// Tells triggers how the runs went that they asked about. A run remembers that it owes an answer until the trigger has
// taken it, so that none is lost when the host ends in between; the key lets the trigger drop a repeated one.

import type { Clock } from "../clock.ts";
import type { HostLog } from "../log.ts";
import type { Json, Outcome } from "../sdk.ts";
import type { Run, Runs } from "../store/store.ts";
import { pause } from "../triggers/pause.ts";
import type { Program } from "./program.ts";
import type { RunState } from "./state.ts";

export type AnswerTrigger = (trigger: string, to: Json, outcome: Outcome, key: string) => Promise<void>;

export class Answers {
  readonly #runs: Runs;
  readonly #answer: AnswerTrigger;
  readonly #log: HostLog;
  readonly #stopping: AbortSignal;
  readonly #clock: Clock;
  /** Runs whose answer is under way. */
  readonly #underWay = new Set<string>();

  constructor(runs: Runs, answer: AnswerTrigger, log: HostLog, stopping: AbortSignal, clock: Clock) {
    this.#runs = runs;
    this.#answer = answer;
    this.#log = log;
    this.#stopping = stopping;
    this.#clock = clock;
  }

  /** Passes an outcome on, once, if the run owes one; goes on trying in the background. */
  give(run: Run, outcome: Outcome | undefined): void {
    if (run.answer === null || outcome === undefined || this.#underWay.has(run.id)) return;
    this.#underWay.add(run.id);
    void this.#deliver(run, run.answer, outcome).finally(() => this.#underWay.delete(run.id));
  }

  async #deliver(run: Run, { trigger, to }: NonNullable<Run["answer"]>, outcome: Outcome): Promise<void> {
    for (let delayMs = 100; !this.#stopping.aborted; delayMs = Math.min(delayMs * 2, 10_000)) {
      try {
        await this.#answer(trigger, to, outcome, `${run.id}/answer`);
        await this.#runs.append(run.id, [], { answer: null });
        run.answer = null;
        return;
      } catch (error) {
        this.#log.warn("the answer cannot be given now", { run: run.id, trigger, err: error });
        await pause(delayMs, this.#stopping, this.#clock);
      }
    }
  }
}

/** What is known of a run by now of what its trigger asked for; undefined while that has not happened. */
export function outcomeOf(run: Run, program?: Program, state?: RunState): Outcome | undefined {
  if (run.answer === null) return undefined;
  if (run.endedAt !== null) {
    const { code, message, details, answer } = run.error ?? { code: "", message: "" };
    const more = { ...(details === undefined ? {} : { details }), ...(answer === undefined ? {} : { answer }) };
    const error = run.error === null ? null : { code, message, ...more };
    return { runId: run.id, status: run.status as Outcome["status"], output: run.output, error };
  }
  const { when } = run.answer;
  if (when === "finished" || program === undefined) return undefined;
  const index = program.steps.findIndex(({ id }) => id === when.after);
  const step = state?.nodes.get(`steps/${index}`);
  if (step?.status !== "succeeded") return undefined;
  return { runId: run.id, status: "succeeded", output: step.output!, error: null };
}
