import type { Failure } from "../errors.ts";
import type { Json, JsonObject, Progress } from "../sdk.ts";

/**
 * A moment in a step at which a host can be made to die: `running`, before it acts; `progress`, with its first report;
 * `succeeded`, after its work and before any of it can be in the journal.
 */
export type Moment = "running" | "progress" | "succeeded";

export interface StepOptions {
  /** An earlier attempt that is to be repeated: the same run, directory and key, and the checkpoint that it left. */
  after?: StepFacts;
  /** Another checkpoint than that of `after`. */
  lastCheckpoint?: Json;
  /** Aborts the step. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** What a step did on its way to its end. */
export interface StepFacts {
  /** The id of the run it believed to be in. */
  run: string;
  /** Its `context.directory`. */
  directory: string;
  idempotencyKey: string;
  /** What `plan` said; undefined where the step has none. */
  plan?: string;
  progress: Progress[];
  checkpoints: Json[];
}

export interface StepOutcome extends StepFacts {
  output: Json;
  /** Whether `check` found everything done, so that `run` was not called. */
  unchanged: boolean;
}

/** A step alone that failed; `code`, `details`, `remedy` and `retryable` are as a workflow would see them. */
export class StepFailed extends Error {
  readonly code: string;
  readonly details: JsonObject | undefined;
  readonly remedy: string | undefined;
  readonly retryable: boolean;
  readonly facts: StepFacts;

  constructor({ code, message, details, remedy, retryable }: Failure, facts: StepFacts) {
    super(message);
    this.name = "StepFailed";
    this.code = code;
    this.details = details;
    this.remedy = remedy;
    this.retryable = retryable;
    this.facts = facts;
  }
}
