// The reading side: a connection of its own, on the caller's thread. Results are always taken whole, because an
// unfinished `iterate` would hold a snapshot and let the write-ahead log grow without end.

import { dirname } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { orStoreError } from "./failure.ts";
import { openToRead } from "./open-to-read.ts";

const READING_FAILED = "the store cannot be read";

export class ReadConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** The file must be there. */
  constructor(file: string) {
    this.#database = orStoreError(READING_FAILED, () => openToRead(file), dirname(file));
  }

  get<Row>(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return orStoreError(READING_FAILED, () => this.#statement(sql).get(...parameters) as Row | undefined);
  }

  all<Row>(sql: string, ...parameters: SQLInputValue[]): Row[] {
    return orStoreError(READING_FAILED, () => this.#statement(sql).all(...parameters) as Row[]);
  }

  hasRun(runId: string): boolean {
    return this.get("SELECT 1 FROM runs WHERE id = ?", runId) !== undefined;
  }

  /** For what is asked of the file as a whole. */
  ask<Answer>(question: (database: DatabaseSync) => Answer): Answer {
    return orStoreError(READING_FAILED, () => question(this.#database));
  }

  close(): void {
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}
