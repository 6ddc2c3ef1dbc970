// The writing thread's part of database.ts: what a plugin may have carried out in a database of its own.

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { applicationId, readPragma } from "./check.ts";
import { guard, Statements } from "./database-guard.ts";

export type StatementRow = [sql: string, parameters: SQLInputValue[]];
export type Changed = { changes: number; lastId: number };

export function databaseWrites(database: DatabaseSync) {
  const asPlugin = guard(database, false);
  const statements = new Statements(database);

  function run([sql, parameters]: StatementRow): Changed {
    const { changes, lastInsertRowid } = asPlugin(() => statements.of(sql).run(...parameters));
    return { changes: Number(changes), lastId: Number(lastInsertRowid) };
  }

  return {
    run,

    transaction(rows: StatementRow[]): Changed[] {
      return rows.map(run);
    },

    migrate(steps: string[]): number {
      const version = readPragma(database, "user_version");
      if (version > steps.length)
        throw new Error(`its tables have version ${version}, this plugin knows up to ${steps.length}`);
      if (version === steps.length) return version;
      for (const step of steps.slice(version)) asPlugin(() => database.exec(step));
      database.exec(`PRAGMA user_version = ${steps.length}; PRAGMA application_id = ${applicationId(steps.length)}`);
      return steps.length;
    },
  };
}
