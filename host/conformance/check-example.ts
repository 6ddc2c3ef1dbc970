// What is tried with one example. Each check finds the folder as the one before has left it, and lays it out anew.

import { setTimeout as sleep } from "node:timers/promises";
import { toFailure } from "../errors.ts";
import type { Json } from "../sdk.ts";
import { type StepFacts, StepFailed } from "../testing/step-outcome.ts";
import type { TestRun, TestStep } from "../testing/test-run.ts";
import { waitFor } from "../testing/wait-for.ts";
import type { Undisturbed } from "./check-repeat.ts";
import { differences, inventory } from "./example-folder.ts";
import { type Example, triedId } from "./examples.ts";
import { type Finding, failed, judge, notExercised, passed } from "./finding.ts";
import { outcomeOf, resultProblems } from "./outcome.ts";
import type { Trial } from "./trial.ts";

/** How soon a step must have ended after its abort. */
const abortWithinMs = 5000;

/** A step that takes less than this has ended before anybody could abort it midway. */
const shortMs = 200;

export interface Checked {
  findings: Finding[];
  /** What is left to try: whether it can be repeated. */
  undisturbed?: Undisturbed;
}

export async function checkExample(trial: Trial, example: Example): Promise<Checked> {
  const about = { about: example.about, carrier: trial.carrier };
  if (example.endless === true) return { findings: await abortMidway(trial, example, shortMs) };
  const run = await trial.run(example);
  const wrong = endProblems(run, example);
  if (wrong.length > 0) return { findings: judge({ ...about, check: "example" }, "CONFORMANCE_EXAMPLE", wrong) };
  const step = stepOf(run)!;
  const result = example.fails === undefined ? resultProblems(step.output, example) : [];
  const outcome = outcomeOf(run, example, trial.folderOf(example));
  const { plan, facts, tookMs } = await alone(trial, example, step.input);
  const findings = [
    ...judge({ ...about, check: "example" }, "CONFORMANCE_RESULT", result),
    ...judge({ ...about, check: "plan" }, "CONFORMANCE_PLAN", plan),
    ...(tookMs < shortMs
      ? await abortAtOnce(trial, example, step.input)
      : await abortMidway(trial, example, tookMs / 2)),
  ];
  if (example.fails === undefined)
    return { findings, undisturbed: { example, outcome, reports: facts.progress.length > 0 } };
  const repeat = { ...about, check: "repeat" };
  return { findings: [...findings, notExercised(repeat, "the example is one of a failure")] };
}

function endProblems(run: TestRun, { fails }: Example): string[] {
  const { status, error } = run;
  const end = error === null ? status : `${status} with ${error.code}: ${error.message}`;
  if (fails === undefined) return status === "succeeded" ? [] : [`it has ${end}`];
  if (error?.code === fails && stepOf(run)?.error?.code === fails) return [];
  return [`it has ${end}, where it is to fail with ${fails}`];
}

const stepOf = (run: TestRun | undefined): TestStep | undefined => run?.steps.find(({ id }) => id === triedId);

/** What `plan` changed, which it must not, and how the step went on its own. */
async function alone(trial: Trial, example: Example, input: Json) {
  const { host } = trial;
  await trial.prepare(example);
  const folder = trial.folderOf(example);
  const before = inventory(folder);
  const planned = await tried(() => host.plan(example.uses, input));
  const plan = [
    ...differences(before, inventory(folder)).map((change) => `plan changes something: ${change}`),
    ...(planned.error === undefined ? [] : [`plan fails: ${planned.error.message}`]),
    ...(planned.value === "" ? ["plan says nothing"] : []),
  ];
  const begun = performance.now();
  const { value, error } = await tried(() => host.step(example.uses, input));
  const facts: StepFacts = value ?? (error as StepFailed).facts;
  return { plan, facts, tookMs: performance.now() - begun };
}

async function tried<Value>(work: () => Promise<Value>): Promise<{ value?: Value; error?: StepFailed }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof StepFailed) return { error };
    throw error;
  }
}

async function abortAtOnce(trial: Trial, example: Example, input: Json): Promise<Finding[]> {
  await trial.prepare(example);
  const ended = tried(() => trial.host.step(example.uses, input, { signal: AbortSignal.abort() }));
  return abortFinding(trial, example, ended);
}

/** Cancels the run while its step is at work. */
async function abortMidway(trial: Trial, example: Example, afterMs: number): Promise<Finding[]> {
  const { host } = trial;
  const id = await trial.start(example);
  const step = await waitFor("the step to begin", () => {
    const run = host.found(id);
    return stepOf(run) ?? (run?.status === "failed" && ("failed" as const));
  });
  if (step === "failed")
    return [failed(aboutAbort(trial, example), "CONFORMANCE_EXAMPLE", "what comes before it fails")];
  await sleep(afterMs);
  try {
    await host.cancel(id);
  } catch (error) {
    if (toFailure(error).code !== "RUN_ENDED") throw error;
    const run = await host.ended(id);
    if (example.endless === true)
      return [failed(aboutAbort(trial, example), "CONFORMANCE_EXAMPLE", `it has ended by itself: ${run.status}`)];
  }
  return abortFinding(trial, example, host.ended(id));
}

const aboutAbort = (trial: Trial, { about }: Example) => ({ check: "abort", about, carrier: trial.carrier });

async function abortFinding(trial: Trial, example: Example, ended: Promise<unknown>): Promise<Finding[]> {
  const about = aboutAbort(trial, example);
  const late = await Promise.race([ended.then(() => false), sleep(abortWithinMs, true)]);
  // The host ends the process of a step that is deaf, and all else waits for that.
  await ended;
  if (!late) return [passed(about)];
  return [failed(about, "CONFORMANCE_ABORT", `it is still at work ${abortWithinMs / 1000} s after its abort`)];
}
