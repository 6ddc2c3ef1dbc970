// What the rest of the host may ask of the store. One worker thread writes, in group commits: every promise below
// resolves once the commit that holds the write is synced. Reads are synchronous, on a read-only connection of their
// own, and see everything whose promise has resolved. A write that cannot be committed rejects with STORE_FULL,
// STORE_READ_ONLY, STORE_DENIED, STORE_DAMAGED or STORE_FAILED and leaves nothing behind; the store goes on. A value
// that cannot be read back, because a file was damaged, is `{ "damaged": { "code": "STORE_DAMAGED", "message" } }`.

import type { Failure } from "../errors.ts";
import type { Database, Json, JsonObject, KeyValue, Outbox } from "../sdk.ts";
import type { Recovered } from "./damage.ts";

export const runStatuses = [
  "queued",
  "running",
  "waiting",
  "undoing",
  "succeeded",
  "failed",
  "cancelled",
  "superseded",
  "rejected",
] as const;
export type RunStatus = (typeof runStatuses)[number];

/** One execution of a workflow. Times are epoch milliseconds. */
export interface Run {
  id: string;
  workflow: string;
  /** SHA-256 (hex) of the document this run began with; its text is kept beside it. */
  document: string;
  /** The workflows it calls, directly or not: the hash of each by name. */
  calls: Record<string, string>;
  /** The run whose repetition this one is. */
  retryOf: string | null;
  /** What its trigger wants to hear, and has not heard yet. */
  answer: { trigger: string; when: "finished" | { after: string }; to: Json } | null;
  status: RunStatus;
  /** The concurrency group it waits in or holds. */
  group: string | null;
  acceptedAt: number;
  startedAt: number | null;
  endedAt: number | null;
  input: Json;
  event: JsonObject;
  output: Json;
  error: Failure | null;
}

/** What changes in a run's row together with its journal. */
export type RunChange = Partial<Pick<Run, "status" | "startedAt" | "endedAt" | "output" | "error">> & { answer?: null };

/**
 * One line of a run's journal. `sequence` counts from 1 within the run; `path` is the place in the workflow
 * (engine/paths.ts); the meaning of `kind` and `data` is the engine's (engine/records.ts).
 */
export interface JournalRecord {
  sequence: number;
  at: number;
  kind: string;
  path: string;
  data: Json;
}

export interface RunFilter {
  workflow?: string;
  status?: RunStatus[];
  /** Newest first, at most this many. */
  limit?: number;
}

/** The reading part, which commands also have beside a running host or after it has ended. */
export interface RunsReading {
  get(runId: string): Run | undefined;
  /** Runs whose id begins with this text, in order of id, at most `limit`. */
  find(idPrefix: string, limit: number): Run[];
  /** Newest first. */
  list(filter: RunFilter): Run[];
  /** Runs that have not ended, in order of acceptance. */
  unfinished(): Run[];
  /** Runs whose trigger still has to hear of them, in order of acceptance. */
  unanswered(): Run[];
  /** In order of `sequence`. */
  journal(runId: string): JournalRecord[];
  documentText(hash: string): string | undefined;
  /** The run that an earlier delivery under this key gave. */
  delivery(key: string): { fingerprint: string; runId: string } | undefined;
}

export interface Runs extends RunsReading {
  /**
   * One commit: the run's row, the texts of its documents by hash (each stored once), its first records, and the
   * delivery it came from (which replaces an earlier delivery of the same key).
   */
  accept(
    run: Run,
    documents: ReadonlyMap<string, string>,
    records: JournalRecord[],
    delivery?: { key: string; fingerprint: string },
  ): Promise<void>;
  /**
   * One commit: further records and the change of the row that goes with them. May be repeated with the same records
   * where it is not known whether an earlier call went through; another record under a number already taken is refused.
   */
  append(runId: string, records: JournalRecord[], change?: RunChange, prune?: Prune): Promise<void>;
}

/** Records no longer needed: those of all places below `under`, but not those whose path is among `keep`. */
export interface PrunedPlaces {
  under: string;
  keep: string[];
}

/** A single record that a later one has taken the place of. */
export interface PrunedRecord {
  sequence: number;
}

export type Prune = PrunedPlaces | PrunedRecord;

/** Something said from outside while runs go on. `at` is in epoch milliseconds. */
export interface Signal {
  /** The same for every repetition of what sent it. */
  id: string;
  name: string;
  value: Json;
  at: number;
}

export interface Signals {
  /** Resolves once it is durable; a signal whose id is known already is not stored again. Older than `forgetBefore` go. */
  put(signal: Signal, forgetBefore: number): Promise<"stored" | "duplicate">;
  /** Those of `at` or later, oldest first. */
  since(at: number): Signal[];
}

/**
 * Secrets that came with a run's input. They live in files of their own (0600) and never in the database, and are gone
 * when the run has ended.
 */
export interface RunSecrets {
  /** Durable when it resolves. Replaces what the run had. */
  put(runId: string, values: Record<string, Json>): Promise<void>;
  /** Empty where the run has none. Throws STORE_DAMAGED where they are not what was put; the file is set aside then. */
  get(runId: string): Record<string, Json>;
  remove(runId: string): Promise<void>;
  /** Runs that have secrets. */
  list(): string[];
}

/** What a command sees of a data folder. It takes no lock; SQLite may leave an empty -wal and -shm beside the database. */
export interface StoreReader {
  readonly runs: RunsReading;
  close(): void;
}

/** What the store has done since it was opened. `commits` is also the number of synced transactions. */
export interface StoreFigures {
  writes: number;
  commits: number;
  /** Bytes the writing thread has not answered for yet, and the most there ever were. */
  bytesInFlight: number;
  peakBytesInFlight: number;
}

/** What is kept of runs that have ended. */
export interface Retention {
  /** At most so many. */
  maxRuns: number;
  /** None that ended longer ago. Milliseconds. */
  maxAgeMs: number;
}

/** What a sweep has removed. */
export interface Swept {
  runs: number;
}

export interface Store {
  readonly runs: Runs;
  readonly signals: Signals;
  readonly secrets: RunSecrets;
  /** The small values of one owner (a plugin's name, or `host`). */
  keyValue(owner: string): KeyValue;
  /** The outbox lanes of one owner. */
  outbox(owner: string): Outbox;
  /** A plugin's own database of this name. Throws DATABASE_FAILED where the name is none. */
  database(plugin: string, name: string): Database;
  /** Damage found in the data folder since it was opened, and what was done about it. It grows. */
  readonly recovered: readonly Recovered[];
  /** Changes what is kept of ended runs; what is not given stays as it was. 10,000 runs and 30 days at first. */
  retention(limits: Partial<Retention>): void;
  /**
   * Removes ended runs that are too many or too old at this time (epoch milliseconds), with their journals, folders,
   * large values, secrets, and documents that no run refers to any more. The store does so by itself every ten minutes.
   */
  sweep(now: number): Promise<Swept>;
  readonly figures: Readonly<StoreFigures>;
  /** Waits for what was handed over, then closes both connections and frees the data folder. Later writes are refused. */
  close(): Promise<void>;
}
