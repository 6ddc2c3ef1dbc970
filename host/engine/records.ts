import type { Failure } from "../errors.ts";
import type { Json } from "../sdk.ts";

/** How often and how long to wait before a failed attempt is repeated. */
export interface RetryPolicy {
  /** Further attempts after the first. */
  retries: number;
  delayMs: number;
  backoff: number;
  maxDelayMs: number;
}

/** Tells a process group apart from a later one with the same number. */
export interface ProcessIdentity {
  /** The group's number, which is its leader's process id. */
  pid: number;
  /** The leader's start time in clock ticks since boot (field 22 of /proc/PID/stat). */
  startTime: string;
  bootId: string;
}

/** What each kind of journal record carries. The path says which place of the workflow it speaks of; "" is the run. */
export interface RecordData {
  /** The run left the queue; its `vars` have their values. */
  started: { vars: Json };
  /** An attempt begins. Committed before the step acts. */
  running: { attempt: number; input: Json; timeoutMs?: number; retry?: RetryPolicy };
  /** The attempt had no result when the host ended; it begins again. */
  resumed: Record<never, never>;
  /** The attempt started a process group, which has not begun its work yet. */
  process: ProcessIdentity;
  /** What the step wants to know at its next attempt. */
  checkpoint: { value: Json };
  /** The attempt failed and another one follows at `at` (epoch milliseconds). */
  retry: { error: Failure; at: number };
  /** A block's `if` held. */
  entered: Record<never, never>;
  /** The list a `forEach` goes through. */
  loop: { items: Json[] };
  /** `unchanged`: the step's check found everything as it should be. */
  succeeded: { output: Json; unchanged?: boolean };
  failed: { error: Failure };
  skipped: Record<never, never>;
  /** The run's last record. */
  ended: { status: "succeeded" | "failed"; output: Json; error: Failure | null };
}

export type RecordKind = keyof RecordData;

/** A record before the store numbers it. */
export type Entry = { [Kind in RecordKind]: { kind: Kind; path: string; data: RecordData[Kind] } }[RecordKind];
