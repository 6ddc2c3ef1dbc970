// What one step says it would do, with as much of its input as is known.

import type { StepEntry, VerbCatalogue } from "../documents/catalogue.ts";
import { compileForeign, compileSchema, type SchemaProblem } from "../documents/schema-check.ts";
import type { FindStep, RunnableStep } from "../engine/workflow.ts";
import { toFailure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Json, StepContext } from "../sdk.ts";
import type { Resolved } from "./known-values.ts";

export interface StepSurroundings {
  catalogue: VerbCatalogue;
  findStep: FindStep;
  /** Of the workflow. */
  workflow: string;
  /** A folder in place of the run's own; nothing is there. */
  directory: string;
  log: HostLog;
}

export interface Description {
  says: string;
  /** Whether the step's `check` finds all as it should be. */
  unchanged?: true;
}

/** Never rejects: where the step cannot say it, its manifest and its input do. */
export async function describeStep(
  uses: string,
  input: Resolved,
  surroundings: StepSurroundings,
): Promise<Description> {
  const entry = surroundings.catalogue.steps.get(uses);
  const fallback = { says: `${entry?.description ?? ""} ${written(input.value)}`.trim() };
  let step: RunnableStep;
  try {
    step = await surroundings.findStep(uses);
  } catch {
    return fallback;
  }
  const given = structuredClone(input.value);
  if (input.open.length === 0) {
    const problems = step.checkInput(given);
    if (problems.length > 0) return { says: `would fail: ${problems.join("; ")}` };
  } else if (entry === undefined || !canBeTold(problemsIn(entry, given), input.open)) return fallback;
  try {
    const context = planningContext(step, surroundings);
    if (input.open.length === 0 && (await step.implementation.check?.(given, context)) !== undefined)
      return { says: "all is as it should be already", unchanged: true };
    return { says: (await step.implementation.plan?.(given, context)) ?? fallback.says };
  } catch (error) {
    // A plan that was given expressions may stumble over them; that is no news.
    if (input.open.length > 0) return fallback;
    const { code, message } = toFailure(error);
    return { says: `cannot be said: ${message} (${code})` };
  }
}

function problemsIn({ input, trusted }: StepEntry, given: Json): SchemaProblem[] {
  return (trusted ? compileSchema : compileForeign)(input, { defaults: true })(given);
}

// An expression stands for any text; where something else than a text is expected, `plan` could do nothing with it.
function canBeTold(problems: { pointer: string; keyword: string }[], open: string[]): boolean {
  return problems.every(({ pointer, keyword }) => keyword !== "type" && open.includes(pointer));
}

function written(input: Json): string {
  if (typeof input !== "object" || input === null || Object.keys(input).length === 0) return "";
  const text = JSON.stringify(input);
  return text.length <= 300 ? text : `${text.slice(0, 299)}…`;
}

/** What a step does through its context would change something; so there is nothing behind it. */
export function planningContext(
  step: RunnableStep,
  { log, workflow, directory }: Pick<StepSurroundings, "log" | "workflow" | "directory">,
): StepContext {
  const refuse = () => Promise.reject(new Error("a plan changes nothing"));
  return {
    signal: AbortSignal.timeout(30_000),
    log: log.child({ plugin: step.plugin }),
    progress: () => {},
    checkpoint: refuse,
    lastCheckpoint: undefined,
    idempotencyKey: "planned",
    directory,
    run: { id: "planned", workflow, retryOf: null },
    services: step.services,
    secret: step.secret,
    database: step.database,
    fetch: step.fetch,
    throttle: async () => {},
    processStarted: refuse,
  };
}
