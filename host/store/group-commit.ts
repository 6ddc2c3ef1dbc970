// Many writes, one synced transaction.

import type { DatabaseSync } from "node:sqlite";
import { isOwnFault, type Reason, reasonOf } from "./reason.ts";
import type { Answer, Write, WriteSet } from "./writes.ts";

export interface GroupOptions {
  /** Where the file lies. */
  folder: string;
  /** Called when a batch is over, committed or not. Must not throw because of a disk. */
  afterCommit(): void;
}

export class GroupCommit {
  #commits = 0;
  readonly #database: DatabaseSync;
  readonly #writes: WriteSet;
  readonly #options: GroupOptions;

  constructor(database: DatabaseSync, writes: WriteSet, options: GroupOptions) {
    this.#database = database;
    this.#writes = writes;
    this.#options = options;
  }

  /** Never throws: what fails is in the answer. */
  commit(batch: Write[]): Answer {
    const answer = this.#together(batch) ?? this.#eachOnItsOwn(batch);
    try {
      this.#options.afterCommit();
    } catch {
      // What could not be tidied up now is swept at a later start.
    }
    return answer;
  }

  /** The usual way. Undefined where one of the writes failed and nothing was committed. */
  #together(batch: Write[]): Answer | undefined {
    let values: unknown[];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      values = batch.map((write) => this.#carryOut(write));
    } catch {
      this.#rollBack();
      return undefined;
    }
    return this.#sync(values, []);
  }

  /** Still one transaction, but a write that fails takes only itself back. */
  #eachOnItsOwn(batch: Write[]): Answer {
    const failures: Answer["failures"] = [];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      const values = batch.map((write, index) => {
        this.#database.exec("SAVEPOINT write");
        try {
          const value = this.#carryOut(write);
          this.#database.exec("RELEASE write");
          return value;
        } catch (error) {
          // A plugin can write INSERT OR ROLLBACK, which takes back all that came before it too.
          if (!isOwnFault(error) || !this.#database.isTransaction) throw error;
          this.#database.exec("ROLLBACK TO write; RELEASE write");
          failures.push([index, { ...reasonOf(error), ownFault: true }]);
          return undefined;
        }
      });
      return this.#sync(values, failures);
    } catch (error) {
      this.#rollBack();
      return this.#allFailed(batch.length, reasonOf(error, this.#options.folder));
    }
  }

  #carryOut([name, parameters]: Write): unknown {
    return this.#writes[name]!(...parameters);
  }

  #sync(values: unknown[], failures: Answer["failures"]): Answer {
    try {
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      return this.#allFailed(values.length, reasonOf(error, this.#options.folder));
    }
    this.#commits++;
    return { values, failures, commits: this.#commits };
  }

  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  #allFailed(count: number, reason: Reason): Answer {
    const failures = Array.from({ length: count }, (_, index): [number, Reason] => [index, reason]);
    return { values: new Array(count), failures, commits: this.#commits };
  }
}
