import type { Progress } from "../sdk.ts";
import type { LoneStep, LoneStepReport } from "./lone-step.ts";

/** When a host of a test dies: at the moment a step says so, before any of it can be in the journal. */
export interface Death {
  /** `plugin/step`; default: any. */
  uses?: string;
  /** `running`: before it acts; `progress`: with its first report; `succeeded`: after its work. */
  at: "running" | "progress" | "succeeded";
}

/** A host of a test from one start to its end. */
export interface Life {
  readonly pid: number;
  advance(durationMs: number): Promise<void>;
  step(
    lone: LoneStep,
    signal: AbortSignal | undefined,
    onProgress: (progress: Progress) => void,
  ): Promise<LoneStepReport>;
  dieAt(death: Death): Promise<void>;
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
