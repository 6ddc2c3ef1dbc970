// A run as its test sees it, read from the journal, whether a host is at work or not.

import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import { stepsOf } from "../commands/place-names.ts";
import { storyOf } from "../commands/story.ts";
import type { Failure } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { JournalRecord, Run, RunStatus, RunsReading } from "../store/store.ts";

/** What became of one place of a workflow: a step, a block, an item of a loop. */
export interface TestStep {
  /** Where it stands: `steps/0`, `steps/1/items/2/steps/0`. */
  path: string;
  id: string | undefined;
  uses: string | undefined;
  status: "running" | "waiting" | "succeeded" | "unchanged" | "failed" | "skipped";
  attempts: number;
  /** Whether a host ended while it was at work, and another one repeated it. */
  repeated: boolean;
  /** With its expressions computed; null where it has not begun. */
  input: Json;
  output: Json;
  error: Failure | null;
}

export interface TestRun {
  id: string;
  workflow: string;
  status: RunStatus;
  input: Json;
  /** What its trigger saw. */
  event: JsonObject;
  /** The workflow's `outputs`. */
  output: Json;
  error: Failure | null;
  /** In the order in which they began. */
  steps: TestStep[];
}

export function testRunOf(
  { id, workflow, status, input, event, output, error, document, calls }: Run,
  runs: RunsReading,
): TestRun {
  const journal = runs.journal(id);
  const read = (hash: string) => JSON.parse(runs.documentText(hash)!) as Workflow;
  const called = new Map(Object.entries(calls).map(([name, hash]) => [name, read(hash)]));
  const stepAt = stepsOf(read(document), called);
  const steps = storyOf(journal).map((place) => testStepOf(place, stepAt(place.path), journal));
  return { id, workflow, status, input, event, output, error, steps };
}

function testStepOf(
  { path, status, attempts, resumed, error }: ReturnType<typeof storyOf>[number],
  step: Pick<WorkflowStep, "id" | "uses"> | undefined,
  journal: JournalRecord[],
): TestStep {
  const dataOf = (kind: "running" | "succeeded") =>
    journal.findLast((record) => record.path === path && record.kind === kind)?.data as JsonObject | undefined;
  const about = { path, id: step?.id, uses: step?.uses };
  const input = dataOf("running")?.input ?? null;
  const output = dataOf("succeeded")?.output ?? null;
  return { ...about, status, attempts, repeated: resumed, input, output, error: error ?? null };
}
