// Everything that can be written, by name, and what crosses between the two threads.

import type { DatabaseSync } from "node:sqlite";
import type { Recovered } from "./damage.ts";
import type { databaseWrites } from "./database-writes.ts";
import { keyValueWrites } from "./key-value-writes.ts";
import type { LargeFiles } from "./large-files.ts";
import { outboxWrites } from "./outbox-writes.ts";
import type { Reason } from "./reason.ts";
import { retentionWrites } from "./retention-writes.ts";
import { runWrites } from "./run-writes.ts";
import { signalWrites } from "./signal-writes.ts";

/** Prepares the statements on the writing thread's connection to the host's own database. */
export function hostWrites(database: DatabaseSync, large: LargeFiles) {
  return {
    ...runWrites(database, large),
    ...keyValueWrites(database),
    ...outboxWrites(database),
    ...signalWrites(database),
    ...retentionWrites(database),
  };
}

/** What can be written to each kind of file. */
export interface Kinds {
  host: ReturnType<typeof hostWrites>;
  plugin: ReturnType<typeof databaseWrites>;
}
export type Kind = keyof Kinds;

// biome-ignore lint/suspicious/noExplicitAny: each write has parameters and a result of its own
type AnyWrite = (...parameters: any[]) => any;
export type WriteSet = Record<string, AnyWrite>;
export type WriteName<Of extends Kind> = keyof Kinds[Of] & string;
export type Parameters<Of extends Kind, Name extends WriteName<Of>> = Kinds[Of][Name] extends (
  ...parameters: infer Given
) => unknown
  ? Given
  : never;
export type Result<Of extends Kind, Name extends WriteName<Of>> = Kinds[Of][Name] extends (
  ...parameters: never[]
) => infer Value
  ? Value
  : never;
export type Write = [name: string, parameters: unknown[]];

/**
 * To the writing thread; `file` is a number that the caller gives to each file. Everything handed over before `close`
 * is committed first. `open.first`: nobody has the file open yet, so it may be checked and replaced.
 */
export type Order = { file: number } & (
  | { open: { path: string; kind: Kind; dataDirectory: string; first: boolean } }
  | { writes: Write[] }
  | { close: true; copy: boolean }
);

/** The outcome of the oldest writes not yet answered, in the order in which they were handed over. */
export interface Answer {
  /** One for each write; undefined where it failed. */
  values: unknown[];
  failures: [index: number, reason: Reason][];
  /** Synced transactions of this file since the thread opened it. */
  commits: number;
}

/** From the writing thread. The first one for a file is `ready` or `cannotOpen`, the last one `closed`. */
export type Report = { file: number } & (
  | { ready: true; recovered: Recovered[] }
  | { cannotOpen: Reason }
  | { closed: true; copied: boolean }
  | Answer
);
