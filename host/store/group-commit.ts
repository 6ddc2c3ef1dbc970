// Many writes, one synced transaction.

import type { DatabaseSync } from "node:sqlite";
import { isOwnFault, type Reason, reasonOf } from "./reason.ts";
import type { Answer, Write, Writes } from "./writes.ts";

export class GroupCommit {
  #commits = 0;
  readonly #database: DatabaseSync;
  readonly #writes: Writes;

  constructor(database: DatabaseSync, writes: Writes) {
    this.#database = database;
    this.#writes = writes;
  }

  /** Never throws: what fails is in the answer. */
  commit(batch: Write[]): Answer {
    return this.#together(batch) ?? this.#eachOnItsOwn(batch);
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
          if (!isOwnFault(error)) throw error;
          this.#database.exec("ROLLBACK TO write; RELEASE write");
          failures.push([index, { ...reasonOf(error), ownFault: true }]);
          return undefined;
        }
      });
      return this.#sync(values, failures);
    } catch (error) {
      this.#rollBack();
      return this.#allFailed(batch.length, reasonOf(error));
    }
  }

  #carryOut([name, parameters]: Write): unknown {
    return (this.#writes[name] as (...parameters: unknown[]) => unknown)(...parameters);
  }

  #sync(values: unknown[], failures: Answer["failures"]): Answer {
    try {
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      return this.#allFailed(values.length, reasonOf(error));
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
