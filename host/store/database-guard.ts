// Keeps the SQL of a plugin within its own file and within the transaction that the store has begun.

import { constants, type DatabaseSync, type StatementSync } from "node:sqlite";

const denied = new Set([
  constants.SQLITE_ATTACH,
  constants.SQLITE_DETACH,
  constants.SQLITE_TRANSACTION,
  constants.SQLITE_SAVEPOINT,
  // What is temporary would belong to one of two connections.
  constants.SQLITE_CREATE_TEMP_INDEX,
  constants.SQLITE_CREATE_TEMP_TABLE,
  constants.SQLITE_CREATE_TEMP_TRIGGER,
  constants.SQLITE_CREATE_TEMP_VIEW,
  // One that never ends would hold up the host, or all that is written, for ever: nothing can interrupt it.
  constants.SQLITE_RECURSIVE,
]);

const reading = new Set([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_PRAGMA,
]);

/** Those that only tell something, and only about the tables. */
const harmlessPragmas = new Set([
  "table_list",
  "table_info",
  "table_xinfo",
  "index_list",
  "index_info",
  "index_xinfo",
  "foreign_key_list",
  // ALTER TABLE asks this one itself.
  "quick_check",
]);

/** A value of a plugin has at most so many bytes, and so has its SQL. */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024;

/** Gives a function that carries out something with the plugin's rights; all else on this connection is the store's own. */
export function guard(database: DatabaseSync, readOnly: boolean): <Result>(act: () => Result) => Result {
  let guarded = false;
  database.enableDefensive(true);
  database.limits.attach = 1;
  database.limits.length = MAX_VALUE_BYTES * 2;
  database.setAuthorizer((action, first) => {
    if (!guarded) return constants.SQLITE_OK;
    if (action === constants.SQLITE_PRAGMA && !harmlessPragmas.has(first ?? "")) return constants.SQLITE_DENY;
    return (readOnly ? reading.has(action) : !denied.has(action)) ? constants.SQLITE_OK : constants.SQLITE_DENY;
  });
  return (act) => {
    guarded = true;
    try {
      return act();
    } finally {
      guarded = false;
    }
  };
}

/** Statements by their text; the oldest goes where there are many. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #known = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  of(sql: string): StatementSync {
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    // SQLite compiles the first statement and would leave out the rest without a word.
    if (sql.slice(statement.sourceSQL.length).trim() !== "") throw new Error("there is more than one statement");
    if (this.#known.size >= MAX_STATEMENTS) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(sql, statement);
    return statement;
  }
}

const MAX_STATEMENTS = 100;
