import type { Progress } from "../sdk.ts";
import type { LoneStep, LoneStepReport } from "./lone-step.ts";
import type { Moment } from "./step-outcome.ts";

/** A host of a test from one start to its end. */
export interface Life {
  readonly pid: number;
  advance(durationMs: number): Promise<void>;
  step(
    lone: LoneStep,
    signal: AbortSignal | undefined,
    onProgress: (progress: Progress) => void,
  ): Promise<LoneStepReport>;
  dieAt(moment: Moment, step: string | undefined): Promise<void>;
  /** Keeps the results of such steps out of the journal; `onWithheld` is told the run of each. */
  withhold(step: string, onWithheld: (runId: string) => void): Promise<void>;
  /** SIGTERM, or what that would do. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Resolves once it is gone, whoever ended it. */
  readonly gone: Promise<void>;
}

export interface LifeOptions {
  /** Path of plugins.json. */
  config: string;
  /** The data folder. */
  data: string;
  logLevel: string;
  /** How far its clock is ahead of the system's. */
  aheadMs: number;
  /** Takes each line of the log. */
  onLine(line: string): void;
}
