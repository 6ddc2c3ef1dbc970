// The writing thread's part of runs.ts. Arguments are rows ready to be bound; JSON is text here.

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { LargeFiles } from "./large-files.ts";
import { numberOfRun } from "./schema.ts";

/** In the order of the columns below. */
export type RunRow = [
  id: string,
  workflow: string,
  document: string,
  status: string,
  group: string | null,
  acceptedAt: number,
  startedAt: number | null,
  endedAt: number | null,
  input: string,
  event: string,
  output: string,
  error: string,
  calls: string,
  retryOf: string | null,
  answer: string | null,
];
/** Texts by hash. */
export type DocumentRow = [hash: string, text: string];
export type RecordRow = [sequence: number, at: number, kind: string, path: string, data: string];
export type DeliveryRow = [key: string, fingerprint: string];
export type RunColumn = "status" | "started_at" | "ended_at" | "output" | "error" | "answer";
/** `keep` is a JSON list of paths. */
export type PruneRow = [under: string, keep: string] | [sequence: number];
export type RunUpdate = [columns: RunColumn[], values: (string | number | null)[]];

/** Where input, event, output and error begin within the row, and how many they are. */
const FIRST_VALUE = 8;
const VALUES = 4;

export function runWrites(database: DatabaseSync, large: LargeFiles) {
  const insertRun = database.prepare(
    `INSERT INTO runs (id, workflow, document, status, concurrency_group, accepted_at, started_at, ended_at,
       input, event, output, error, calls, retry_of, answer)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  // The same record once more changes nothing but counts as a change; a different one counts as none.
  const insertRecord = database.prepare(
    `INSERT INTO journal (run_number, sequence, at, kind, path, data) VALUES (${numberOfRun}, ?2, ?3, ?4, ?5, ?6)
     ON CONFLICT (run_number, sequence) DO UPDATE SET at = excluded.at
       WHERE at = excluded.at AND kind = excluded.kind AND path = excluded.path AND data = excluded.data`,
  );
  const insertDocument = database.prepare("INSERT OR IGNORE INTO documents (hash, text) VALUES (?, ?)");
  const replaceDelivery = database.prepare(
    "INSERT OR REPLACE INTO deliveries (key, fingerprint, run_id, at) VALUES (?, ?, ?, ?)",
  );
  // A path's inner places begin with it and a slash; nothing else sorts between those two ends.
  const among = `run_number = ${numberOfRun} AND path >= ?2 || '/' AND path < ?2 || '0'
       AND path NOT IN (SELECT value FROM json_each(?3))`;
  const findLarge = database.prepare(
    `SELECT data FROM journal WHERE ${among} AND data >= 'large:' AND data < 'large;'`,
  );
  const deleteRecords = database.prepare(`DELETE FROM journal WHERE ${among}`);
  const findRecord = database.prepare(`SELECT data FROM journal WHERE run_number = ${numberOfRun} AND sequence = ?2`);
  const deleteRecord = database.prepare(`DELETE FROM journal WHERE run_number = ${numberOfRun} AND sequence = ?2`);
  const updates = new Map<string, StatementSync>();

  function updateOf(columns: RunColumn[]): StatementSync {
    const assignments = columns.map((column) => `${column} = ?`).join(", ");
    const known = updates.get(assignments) ?? database.prepare(`UPDATE runs SET ${assignments} WHERE id = ?`);
    updates.set(assignments, known);
    return known;
  }

  function addRecords(runId: string, records: RecordRow[]): void {
    for (const [sequence, at, kind, path, data] of records) {
      const { changes } = insertRecord.run(runId, sequence, at, kind, path, large.keep(runId, data));
      if (changes === 0) throw new Error(`run ${runId} has another record ${sequence} already`);
    }
  }

  function prune(runId: string, row: PruneRow): void {
    const [find, remove] = row.length === 1 ? [findRecord, deleteRecord] : [findLarge, deleteRecords];
    for (const { data } of find.all(runId, ...row) as { data: string }[]) large.drop(runId, data);
    remove.run(runId, ...row);
  }

  return {
    /** `documents` are those not known to be there already. */
    acceptRun(run: RunRow, documents: DocumentRow[], records: RecordRow[], delivery: DeliveryRow | null): void {
      const [id, , , , , acceptedAt] = run;
      for (let index = FIRST_VALUE; index < FIRST_VALUE + VALUES; index++)
        run[index] = large.keep(id, run[index] as string);
      insertRun.run(...run);
      for (const document of documents) insertDocument.run(...document);
      addRecords(id, records);
      if (delivery !== null) replaceDelivery.run(...delivery, id, acceptedAt);
    },

    appendToRun(runId: string, records: RecordRow[], update: RunUpdate | null, pruned: PruneRow | null): void {
      addRecords(runId, records);
      if (pruned !== null) prune(runId, pruned);
      if (update === null) return;
      const [columns, values] = update;
      const kept = values.map((value, index) =>
        columns[index] === "output" || columns[index] === "error" ? large.keep(runId, value as string) : value,
      );
      const { changes } = updateOf(columns).run(...kept, runId);
      if (changes === 0) throw new Error(`there is no run ${runId}`);
    },
  };
}
