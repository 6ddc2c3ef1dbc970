// The tables, and how an older file becomes a newer one. `PRAGMA user_version` counts the steps taken.

import type { DatabaseSync } from "node:sqlite";
import { applicationId, readPragma } from "./check.ts";

/** Step N brings a file from version N to N + 1. Steps are only ever added. */
const migrations = [
  `CREATE TABLE runs (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     workflow TEXT NOT NULL,
     document TEXT NOT NULL,
     status TEXT NOT NULL,
     concurrency_group TEXT,
     accepted_at INTEGER NOT NULL,
     started_at INTEGER,
     ended_at INTEGER,
     input TEXT NOT NULL,
     event TEXT NOT NULL,
     output TEXT NOT NULL,
     error TEXT NOT NULL
   ) STRICT;
   CREATE INDEX runs_unfinished ON runs (number) WHERE ended_at IS NULL;

   CREATE TABLE journal (
     run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
     sequence INTEGER NOT NULL,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL,
     path TEXT NOT NULL,
     data TEXT NOT NULL,
     PRIMARY KEY (run_id, sequence)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE documents (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;

   CREATE TABLE deliveries (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, run_id TEXT NOT NULL) STRICT, WITHOUT ROWID;

   CREATE TABLE key_value (
     owner TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (owner, key)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE outbox_lanes (
     owner TEXT NOT NULL,
     lane TEXT NOT NULL,
     last_id INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     PRIMARY KEY (owner, lane)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE outbox (
     owner TEXT NOT NULL,
     lane TEXT NOT NULL,
     id INTEGER NOT NULL,
     at INTEGER NOT NULL,
     key TEXT,
     bytes INTEGER NOT NULL,
     message TEXT NOT NULL,
     PRIMARY KEY (owner, lane, id)
   ) STRICT, WITHOUT ROWID;
   CREATE UNIQUE INDEX outbox_keys ON outbox (owner, key) WHERE key IS NOT NULL;

   CREATE TABLE outbox_departed (
     owner TEXT NOT NULL,
     number INTEGER NOT NULL,
     key TEXT NOT NULL,
     PRIMARY KEY (owner, number)
   ) STRICT, WITHOUT ROWID;
   CREATE UNIQUE INDEX outbox_departed_keys ON outbox_departed (owner, key);`,

  `ALTER TABLE runs ADD COLUMN calls TEXT NOT NULL DEFAULT '{}';
   ALTER TABLE runs ADD COLUMN retry_of TEXT;

   CREATE TABLE signals (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     value TEXT NOT NULL,
     at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,

  `CREATE INDEX runs_ended ON runs (ended_at) WHERE ended_at IS NOT NULL;
   ALTER TABLE deliveries ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE runs ADD COLUMN answer TEXT;
   CREATE INDEX runs_unanswered ON runs (number) WHERE answer IS NOT NULL;`,

  // In the order of writing: what many runs write in one commit lies on few pages.
  `ALTER TABLE journal RENAME TO journal_by_run;
   CREATE TABLE journal (
     number INTEGER PRIMARY KEY,
     run_number INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
     sequence INTEGER NOT NULL,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL,
     path TEXT NOT NULL,
     data TEXT NOT NULL
   ) STRICT;
   INSERT INTO journal (run_number, sequence, at, kind, path, data)
     SELECT runs.number, sequence, at, kind, path, data FROM journal_by_run JOIN runs ON runs.id = run_id
       ORDER BY runs.number, sequence;
   CREATE UNIQUE INDEX journal_of_runs ON journal (run_number, sequence);
   DROP TABLE journal_by_run;`,
];

export const SCHEMA_VERSION = migrations.length;

/** Of the run whose id is the statement's first argument. */
export const numberOfRun = "(SELECT number FROM runs WHERE id = ?1)";

export function schemaVersion(database: DatabaseSync): number {
  return readPragma(database, "user_version");
}

/**
 * Takes the steps that are missing, all in one transaction: who reads meanwhile finds the file as it was or as it is to be.
 * A newer file is left as it is: see `schemaVersion`.
 */
export function migrate(database: DatabaseSync): void {
  const missing = migrations.slice(schemaVersion(database));
  if (missing.length === 0) return;
  const marks = `PRAGMA user_version = ${SCHEMA_VERSION}; PRAGMA application_id = ${applicationId(SCHEMA_VERSION)}`;
  database.exec(`BEGIN IMMEDIATE; ${missing.join(";")}; ${marks}; COMMIT`);
}
