// Everything that can be written, by name, and what crosses between the two threads.

import type { DatabaseSync } from "node:sqlite";
import { keyValueWrites } from "./key-value-writes.ts";
import { outboxWrites } from "./outbox-writes.ts";
import type { Reason } from "./reason.ts";
import { runWrites } from "./run-writes.ts";
import { signalWrites } from "./signal-writes.ts";

/** Prepares the statements on the writing thread's connection. */
export function prepareWrites(database: DatabaseSync) {
  return { ...runWrites(database), ...keyValueWrites(database), ...outboxWrites(database), ...signalWrites(database) };
}

export type Writes = ReturnType<typeof prepareWrites>;
export type WriteName = keyof Writes;
export type Write<Name extends WriteName = WriteName> = [name: Name, parameters: Parameters<Writes[Name]>];

/** To the writing thread. Everything handed over before `close` is committed first. */
export type Order = { writes: Write[] } | { close: true };

/** The outcome of the oldest writes not yet answered, in the order in which they were handed over. */
export interface Answer {
  /** One for each write; undefined where it failed. */
  values: unknown[];
  failures: [index: number, reason: Reason][];
  /** Synced transactions since the thread began. */
  commits: number;
}

/** From the writing thread; the first one is `ready` or `cannotOpen`. */
export type Report = { ready: true } | { cannotOpen: Reason } | Answer;
