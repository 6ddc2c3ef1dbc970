// One step without a workflow around it, carried out as the engine carries out an attempt.

import { randomUUIDv7 } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { type AttemptResult, runAttempt } from "../engine/attempt.ts";
import type { Entry } from "../engine/records.ts";
import { runFacts } from "../engine/run-facts.ts";
import type { FindStep } from "../engine/workflow.ts";
import { toFailure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import { planningContext } from "../planning/describe-step.ts";
import type { Json, Progress } from "../sdk.ts";
import type { Run } from "../store/store.ts";

/** What an earlier attempt has left; JSON, so that a host in another process can be asked. */
export interface LoneStep {
  uses: string;
  input: Json;
  /** The run that the step believes it is in; a new one if it is not named. */
  run?: string;
  lastCheckpoint?: Json;
  /** Asks `plan` alone. */
  planOnly?: boolean;
}

export interface LoneStepReport {
  run: string;
  directory: string;
  idempotencyKey: string;
  /** What `plan` said, if the step has one. */
  plan?: string;
  progress: Progress[];
  checkpoints: Json[];
  result: AttemptResult;
}

export interface LoneStepSurroundings {
  findStep: FindStep;
  dataDirectory: string;
  log: HostLog;
  clock: Clock;
  controller: AbortController;
  onProgress: (progress: Progress) => void;
}

const path = "steps/0";
const workflow = "lone-step";

/** Asks `plan`, then `check`, and runs the step where that does not find everything done. */
export async function performAlone(lone: LoneStep, surroundings: LoneStepSurroundings): Promise<LoneStepReport> {
  const { findStep, dataDirectory, log, clock, controller, onProgress } = surroundings;
  const { uses, input, run = randomUUIDv7(), lastCheckpoint, planOnly = false } = lone;
  const directory = join(dataDirectory, "runs", run);
  const facts = runFacts(
    { id: run, workflow, acceptedAt: clock.now(), startedAt: null, retryOf: null } as Run,
    directory,
  );
  const report = { run, directory: facts.directory, idempotencyKey: `${run}/${path}` };
  const progress: Progress[] = [];
  const checkpoints: Json[] = [];
  let plan: string | undefined;
  try {
    plan = await planOf(lone, findStep, directory, log);
  } catch (error) {
    return { ...report, progress, checkpoints, result: { status: "failed", error: toFailure(error) } };
  }
  const planned = { ...report, ...(plan === undefined ? {} : { plan }), progress, checkpoints };
  if (planOnly) return { ...planned, result: { status: "succeeded", output: null } };
  const begun = { attempt: 1, input: structuredClone(input) };
  const result = await runAttempt({
    path,
    uses,
    state: {
      status: "running",
      attempt: 1,
      begun,
      ...(lastCheckpoint === undefined ? {} : { checkpoint: lastCheckpoint }),
    },
    secretPlaces: [],
    runSecret: () => undefined,
    nameOfSecret: () => undefined,
    idempotencyKey: report.idempotencyKey,
    run: facts,
    findStep,
    record: async (entry: Entry) => {
      if (entry.kind === "checkpoint") checkpoints.push(entry.data.value);
    },
    progress: (one) => {
      progress.push(one);
      onProgress(one);
    },
    throttle: async () => {},
    log: () => log.child({ step: uses }),
    clock,
    controller,
  });
  return { ...planned, result };
}

async function planOf({ uses, input }: LoneStep, findStep: FindStep, directory: string, log: HostLog) {
  const step = await findStep(uses);
  const filled = structuredClone(input);
  // A wrong input is the attempt's to refuse.
  if (step.checkInput(filled).length > 0) return undefined;
  return step.implementation.plan?.(filled, planningContext(step, { log, workflow, directory }));
}
