// The databases of plugins: each a file of its own, written by the thread that writes for all.

import { existsSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { GantryError } from "../errors.ts";
import type { Database, DatabaseRow } from "../sdk.ts";
import { pluginDatabaseFile, prepareFile } from "./data-directory.ts";
import { guard, Statements } from "./database-guard.ts";
import { databaseError, parametersOf, rowsOf, sqlOf } from "./database-values.ts";
import { orStoreError, storeError } from "./failure.ts";
import { type Reason, reasonOf, sqlite } from "./reason.ts";
import { Writer, type WriterOptions } from "./writer.ts";
import type { WritingThread } from "./writing-thread.ts";

/** A plugin's database and what the store does with it. */
export interface PluginDatabase {
  readonly database: Database;
  readonly writer: Writer<"plugin">;
  readonly path: string;
  closeReading(): void;
}

export type DatabaseOptions = Pick<WriterOptions<"plugin">, "dataDirectory" | "maxBytesInFlight" | "onRecovered">;

export function createDatabase(
  plugin: string,
  name: string,
  thread: WritingThread,
  options: DatabaseOptions,
): PluginDatabase {
  for (const part of [plugin, name])
    if (!/^[a-z0-9][a-z0-9_-]{0,63}$/i.test(part))
      throw databaseError(`${JSON.stringify(part)} is no name for a database: letters, digits, - and _ are possible`);
  const path = pluginDatabaseFile(options.dataDirectory, plugin, name);
  const what = `database ${name} of ${plugin}`;
  const writer = new Writer(thread, { ...options, kind: "plugin", path, refusal: (reason) => refusal(what, reason) });
  let started: Promise<void> | undefined;
  let reading: Reading | undefined;

  async function opened(): Promise<Reading> {
    started ??= start();
    await started;
    reading ??= readingConnection(path);
    return reading;
  }

  // A disk that was full is asked again at the next call.
  async function start(): Promise<void> {
    try {
      orStoreError(`the ${what} cannot be made`, () => existsSync(path) || prepareFile(path), options.dataDirectory);
      await writer.start();
    } catch (error) {
      started = undefined;
      throw error;
    }
  }

  async function read(sql: unknown, parameters: unknown, limit: number): Promise<DatabaseRow[]> {
    const [text, values] = [sqlOf(sql), parametersOf(parameters)];
    const connection = await opened();
    try {
      return connection(text, values, limit);
    } catch (error) {
      if (error instanceof GantryError) throw error;
      const reason = reasonOf(error, options.dataDirectory);
      throw refusal(what, reason.code === "STORE_FAILED" ? { ...reason, ownFault: true } : reason);
    }
  }

  const database: Database = {
    async migrate(steps) {
      if (!Array.isArray(steps)) throw databaseError("the steps of a migration must be a list");
      const texts = steps.map(sqlOf);
      await opened();
      await writer.write("migrate", [texts]);
    },
    async run(sql, parameters) {
      const row = [sqlOf(sql), parametersOf(parameters)] as [string, SQLInputValue[]];
      await opened();
      return writer.write("run", [row]);
    },
    async transaction(statements) {
      if (!Array.isArray(statements)) throw databaseError("the statements of a transaction must be a list");
      const rows = statements.map((statement): [string, SQLInputValue[]] => [
        sqlOf(statement?.sql),
        parametersOf(statement.parameters),
      ]);
      await opened();
      return writer.write("transaction", [rows]);
    },
    all: (sql, parameters) => read(sql, parameters, Number.POSITIVE_INFINITY),
    async get(sql, parameters) {
      return (await read(sql, parameters, 1))[0];
    },
  };
  return { database, writer, path, closeReading: () => reading?.close() };
}

interface Reading {
  (sql: string, parameters: SQLInputValue[], limit: number): DatabaseRow[];
  close(): void;
}

function readingConnection(path: string): Reading {
  const connection = orStoreError("a database cannot be read", () => {
    return new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
  });
  const asPlugin = guard(connection, true);
  const statements = new Statements(connection);
  const read = (sql: string, parameters: SQLInputValue[], limit: number) =>
    asPlugin(() => rowsOf(statements.of(sql), parameters, limit));
  return Object.assign(read, { close: () => connection.close() });
}

function refusal(what: string, reason: Reason): GantryError {
  const code = reason.sqlite !== undefined && (reason.sqlite & 0xff) === sqlite.AUTH ? "DATABASE_DENIED" : undefined;
  return storeError(`the ${what} refuses`, {
    ...reason,
    code: code ?? (reason.ownFault ? "DATABASE_FAILED" : reason.code),
  });
}
