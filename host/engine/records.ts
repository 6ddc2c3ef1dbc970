import type { Failure } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { JournalRecord } from "../store/store.ts";

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

/** A part of the day in local time, as HH:MM; `to` earlier than `from` lies on the next day. */
export interface TimeWindow {
  from: string;
  to: string;
}

/** What a run keeps to all its life, evaluated when it starts. */
export interface RunPolicy {
  /** No step of the main lists starts outside. */
  window?: TimeWindow;
  /** Shared by all transfers of the run. */
  bytesPerSecond?: number;
}

/** What each kind of journal record carries. The path says which place of the workflow it speaks of; "" is the run. */
export interface RecordData {
  /** The run left the queue; its `vars` have their values. */
  started: { vars: Json; policy?: RunPolicy };
  /** An attempt begins. Committed before the step acts. `undo`: the values that undoing it will need. */
  running: { attempt: number; input: Json; timeoutMs?: number; retry?: RetryPolicy; undo?: JsonObject };
  /** The attempt had no result when the host ended; it begins again. */
  resumed: Record<never, never>;
  /** The attempt started a process group, which has not begun its work yet. */
  process: ProcessIdentity;
  /** What the step wants to know at its next attempt. */
  checkpoint: { value: Json };
  /** The attempt failed and another one follows at `at` (epoch milliseconds). */
  retry: { error: Failure; at: number };
  /**
   * A wait begins: until a time, or for a signal that comes at `since` or later; `deadline` is where its `timeout` ends
   * it (all in epoch milliseconds).
   */
  waiting: { until?: number; signal?: { name: string; since: number }; deadline?: number };
  /** A block, or lists that run at the same time, were entered at this time (epoch milliseconds). */
  entered: { at: number };
  /** The list a `forEach` goes through, and how many items at the same time. */
  loop: { items: Json[]; at: number; maxParallel?: number };
  /** Another workflow was called with this input; its `vars` have their values. */
  called: { input: Json; vars: Json; at: number; undo?: JsonObject };
  /** `unchanged`: the step's check found everything as it should be. `signal`: the id of the one that ended a wait. */
  succeeded: { output: Json; unchanged?: boolean; signal?: string };
  failed: { error: Failure };
  skipped: Record<never, never>;
  /** What goes on below this place is to end with this error. `signal`: the id of the one that said so. */
  aborting: { error: Failure; signal?: string };
  /** The steps of a body have failed; what undoes and handles that follows. */
  failing: { error: Failure };
  /** The run's last record. */
  ended: { status: EndStatus; output: Json; error: Failure | null };
}

export type EndStatus = "succeeded" | "failed" | "cancelled" | "superseded" | "rejected";

export type RecordKind = keyof RecordData;

/** A record before the store numbers it. */
export type Entry = { [Kind in RecordKind]: { kind: Kind; path: string; data: RecordData[Kind] } }[RecordKind];

/** The record that goes on with the journal of a run which nobody carries out; `at` in epoch milliseconds. */
export function nextRecord(journal: readonly JournalRecord[], entry: Entry, at: number): JournalRecord {
  const sequence = (journal.at(-1)?.sequence ?? 0) + 1;
  return { sequence, at, ...entry, data: entry.data as unknown as Json };
}
