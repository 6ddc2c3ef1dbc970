// Runs, their journals, documents and deliveries: reading, and handing over what is to be written.

import type { Failure } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { damageFailure } from "./damage.ts";
import { storeError } from "./failure.ts";
import type { ValueReader } from "./large-values.ts";
import type { ReadConnection } from "./read-connection.ts";
import type { PruneRow, RecordRow, RunColumn, RunRow, RunUpdate } from "./run-writes.ts";
import { numberOfRun } from "./schema.ts";
import type { JournalRecord, Prune, Run, RunChange, RunFilter, RunStatus, Runs, RunsReading } from "./store.ts";
import type { Writer } from "./writer.ts";

interface StoredRun {
  id: string;
  workflow: string;
  document: string;
  status: RunStatus;
  concurrency_group: string | null;
  accepted_at: number;
  started_at: number | null;
  ended_at: number | null;
  input: string;
  event: string;
  output: string;
  error: string;
  calls: string;
  retry_of: string | null;
  answer: string | null;
}

const columnNames: Record<keyof RunChange, RunColumn> = {
  status: "status",
  startedAt: "started_at",
  endedAt: "ended_at",
  output: "output",
  error: "error",
  answer: "answer",
};
const columns = Object.entries(columnNames) as [keyof RunChange, RunColumn][];

export function readRuns(connection: ReadConnection, values: ValueReader): RunsReading {
  const toRun = (row: StoredRun) => readRun(row, values);
  return {
    get(runId) {
      const row = connection.get<StoredRun>("SELECT * FROM runs WHERE id = ?", runId);
      return row === undefined ? undefined : toRun(row);
    },
    find(idPrefix, limit) {
      // Nothing that begins with the prefix sorts above the prefix and the last character there is.
      const end = `${idPrefix}\u{10ffff}`;
      const sql = "SELECT * FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?";
      return connection.all<StoredRun>(sql, idPrefix, end, limit).map(toRun);
    },
    list({ workflow, status, limit }: RunFilter) {
      const sql = `SELECT * FROM runs
        WHERE (?1 IS NULL OR workflow = ?1) AND (?2 IS NULL OR status IN (SELECT value FROM json_each(?2)))
        ORDER BY number DESC LIMIT ?3`;
      const statuses = status === undefined ? null : JSON.stringify(status);
      return connection.all<StoredRun>(sql, workflow ?? null, statuses, limit ?? -1).map(toRun);
    },
    unfinished() {
      return connection.all<StoredRun>("SELECT * FROM runs WHERE ended_at IS NULL ORDER BY number").map(toRun);
    },
    unanswered() {
      return connection.all<StoredRun>("SELECT * FROM runs WHERE answer IS NOT NULL ORDER BY number").map(toRun);
    },
    journal(runId) {
      const sql = `SELECT sequence, at, kind, path, data FROM journal
        WHERE run_number = ${numberOfRun} ORDER BY sequence`;
      const rows = connection.all<JournalRecord & { data: string }>(sql, runId);
      return rows.map((row) => ({ ...row, data: values.read(runId, `record ${row.sequence}`, row.data) }));
    },
    documentText(hash) {
      return connection.get<{ text: string }>("SELECT text FROM documents WHERE hash = ?", hash)?.text;
    },
    delivery(key) {
      const sql = "SELECT fingerprint, run_id AS runId FROM deliveries WHERE key = ?";
      const row = connection.get<{ fingerprint: string; runId: string }>(sql, key);
      return row === undefined ? undefined : { ...row };
    },
  };
}

/** `committedDocuments` are the hashes of those that are known to be in the database. */
export function createRuns(
  reading: RunsReading,
  writer: Writer<"host">,
  committedDocuments: Set<string>,
  onAccepted: () => void,
): Runs {
  return {
    ...reading,
    async accept(run, documents, records, delivery) {
      // The same few documents come with every run: their text crosses to the writing thread only until it is committed.
      const missing = [...documents].filter(([hash]) => !committedDocuments.has(hash));
      const deliveryRow = delivery === undefined ? null : ([delivery.key, delivery.fingerprint] as [string, string]);
      await writer.write("acceptRun", [toRow(run), missing, records.map(toRecordRow), deliveryRow]);
      for (const [hash] of missing) committedDocuments.add(hash);
      onAccepted();
    },
    append(runId, records, change, prune) {
      const pruneRow = prune === undefined ? null : toPruneRow(prune);
      return writer.write("appendToRun", [runId, records.map(toRecordRow), toUpdate(change), pruneRow]);
    },
  };
}

function toPruneRow(prune: Prune): PruneRow {
  return "under" in prune ? [prune.under, JSON.stringify(prune.keep)] : [prune.sequence];
}

function readRun(row: StoredRun, values: ValueReader): Run {
  // The table allows nothing else: bits have changed on the disk since it was checked.
  if ([row.id, row.workflow, row.document, row.status].some((text) => typeof text !== "string"))
    throw storeError("the store cannot be read", {
      code: "STORE_DAMAGED",
      message: "a run has lost its name or state",
    });
  const read = (what: "input" | "event" | "output" | "error" | "calls") => values.read(row.id, what, row[what]);
  const error = read("error");
  const answer = row.answer === null ? null : values.read(row.id, "answer", row.answer);
  return {
    id: row.id,
    workflow: row.workflow,
    document: row.document,
    status: row.status,
    group: row.concurrency_group,
    acceptedAt: row.accepted_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    input: read("input"),
    event: read("event") as JsonObject,
    output: read("output"),
    error: isFailure(error) ? error : damageFailure("the error is lost"),
    calls: read("calls") as Record<string, string>,
    retryOf: row.retry_of,
    answer: isAnswer(answer) ? answer : null,
  };
}

function isFailure(error: Json): error is null | (Failure & JsonObject) {
  return error === null || (typeof error === "object" && !Array.isArray(error) && typeof error.code === "string");
}

function isAnswer(answer: Json): answer is NonNullable<Run["answer"]> {
  return typeof answer === "object" && answer !== null && !Array.isArray(answer) && typeof answer.trigger === "string";
}

function toRow(run: Run): RunRow {
  const { id, workflow, document, status, group, acceptedAt, startedAt, endedAt } = run;
  const json = [run.input, run.event, run.output, run.error].map((value) => JSON.stringify(value));
  const answer = run.answer === null ? null : JSON.stringify(run.answer);
  const links = [JSON.stringify(run.calls), run.retryOf, answer];
  return [
    id,
    workflow,
    document,
    status,
    group,
    acceptedAt,
    startedAt,
    endedAt,
    ...json,
    ...links,
  ] as unknown as RunRow;
}

function toRecordRow({ sequence, at, kind, path, data }: JournalRecord): RecordRow {
  return [sequence, at, kind, path, JSON.stringify(data)];
}

function toUpdate(change: RunChange | undefined): RunUpdate | null {
  if (change === undefined) return null;
  const update: RunUpdate = [[], []];
  for (const [member, column] of columns) {
    const value = change[member];
    if (value === undefined) continue;
    update[0].push(column);
    update[1].push(
      column === "output" || column === "error" ? JSON.stringify(value) : (value as string | number | null),
    );
  }
  return update[0].length === 0 ? null : update;
}
