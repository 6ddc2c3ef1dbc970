// What is known of uploads on disk: a row for each trigger, the batch, and one for each file that has not ended.

import type { Database, DatabaseRow, DatabaseStatement, JsonObject } from "gantry";

export interface Batch {
  /** The correlation id of the trigger. */
  id: string;
  /** The run that made it. */
  run: string;
  /** Null until the first file is started. */
  startedAt: number | null;
  /** What the first `start` said of it. */
  info: JsonObject;
  /** What each request carries beside the path. */
  options: JsonObject;
  files: number;
  filesDone: number;
  bytes: number;
  bytesDone: number;
  /** The first failure of a file, where the others went on. */
  failure: { code: string; message: string } | null;
  /** The last one that was reported. */
  progress: number;
}

export interface BatchFile {
  batch: string;
  /** From 1. */
  number: number;
  path: string;
  realPath: string;
  sizeBytes: number;
  state: "waiting" | "started" | "uploading";
  /** The run that was told to start it. */
  run: string | null;
  /** When it is given up (epoch milliseconds); null before its request was sent. */
  expiresAt: number | null;
}

const migrations = [
  `CREATE TABLE batches (
    id TEXT PRIMARY KEY, run TEXT NOT NULL, started_at INTEGER, info TEXT NOT NULL, options TEXT NOT NULL,
    files INTEGER NOT NULL, files_done INTEGER NOT NULL, bytes INTEGER NOT NULL, bytes_done INTEGER NOT NULL,
    failure TEXT, progress INTEGER NOT NULL);
  CREATE TABLE files (
    batch TEXT NOT NULL REFERENCES batches ON DELETE CASCADE, number INTEGER NOT NULL, path TEXT NOT NULL,
    real_path TEXT NOT NULL, size_bytes INTEGER NOT NULL, state TEXT NOT NULL, run TEXT, expires_at INTEGER,
    PRIMARY KEY (batch, number)) WITHOUT ROWID;
  CREATE INDEX files_by_expiry ON files (expires_at);
  CREATE INDEX files_not_requested ON files (batch, number) WHERE expires_at IS NULL;
  CREATE TABLE uploaded (path TEXT PRIMARY KEY, identity TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE cancelled (run TEXT PRIMARY KEY, batch TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;`,
];

/** How many rows are written or read at once. */
const pageRows = 500;

export class Ledger {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  open(): Promise<void> {
    return this.#database.migrate(migrations);
  }

  async batch(id: string): Promise<Batch | undefined> {
    const row = await this.#database.get("SELECT * FROM batches WHERE id = ?", [id]);
    return row === undefined ? undefined : batchOf(row);
  }

  async isUploading(): Promise<boolean> {
    return (await this.#database.get("SELECT 1 FROM batches WHERE started_at IS NOT NULL LIMIT 1")) !== undefined;
  }

  async file(batch: string, number: number): Promise<BatchFile | undefined> {
    const row = await this.#database.get("SELECT * FROM files WHERE batch = ? AND number = ?", [batch, number]);
    return row === undefined ? undefined : fileOf(row);
  }

  /** Whether more files than so many have not ended. */
  async hasMoreThan(count: number, batch: string): Promise<boolean> {
    const sql = "SELECT 1 FROM files WHERE batch = ? LIMIT 1 OFFSET ?";
    return (await this.#database.get(sql, [batch, count])) !== undefined;
  }

  /** Those that may use a place. */
  async uploading(): Promise<BatchFile[]> {
    return (await this.#database.all("SELECT * FROM files WHERE state = 'uploading'")).map(fileOf);
  }

  /** What an earlier attempt of the same run has left goes. */
  async addBatch(batch: Batch): Promise<void> {
    const { id, run, info, options, files, bytes } = batch;
    await this.#database.transaction([
      { sql: "DELETE FROM batches WHERE run = ?", parameters: [run] },
      {
        sql: `INSERT INTO batches (id, run, info, options, files, files_done, bytes, bytes_done, progress)
          VALUES (?, ?, ?, ?, ?, 0, ?, 0, 0)`,
        parameters: [id, run, JSON.stringify(info), JSON.stringify(options), files, bytes],
      },
    ]);
  }

  async addFiles(files: Pick<BatchFile, "batch" | "number" | "path" | "realPath" | "sizeBytes">[]): Promise<void> {
    const sql = `INSERT INTO files (batch, number, path, real_path, size_bytes, state) VALUES (?, ?, ?, ?, ?, 'waiting')`;
    for (let at = 0; at < files.length; at += pageRows)
      await this.#database.transaction(
        files.slice(at, at + pageRows).map(({ batch, number, path, realPath, sizeBytes }) => ({
          sql,
          parameters: [batch, number, path, realPath, sizeBytes],
        })),
      );
  }

  async notRequested(batch: string, limit: number): Promise<BatchFile[]> {
    const sql = "SELECT * FROM files WHERE batch = ? AND expires_at IS NULL ORDER BY number LIMIT ?";
    return (await this.#database.all(sql, [batch, limit])).map(fileOf);
  }

  async requested(batch: string, upToNumber: number, expiresAt: number): Promise<void> {
    const sql = "UPDATE files SET expires_at = ? WHERE batch = ? AND number <= ? AND expires_at IS NULL";
    await this.#database.run(sql, [expiresAt, batch, upToNumber]);
  }

  async started(
    { batch, number }: BatchFile,
    { run, at, expiresAt, info }: { run: string; at: number; expiresAt: number; info: JsonObject },
  ): Promise<void> {
    await this.#database.transaction([
      {
        sql: "UPDATE files SET state = 'started', run = ?, expires_at = ? WHERE batch = ? AND number = ?",
        parameters: [run, expiresAt, batch, number],
      },
      {
        sql: "UPDATE batches SET started_at = ?, info = ? WHERE id = ? AND started_at IS NULL",
        parameters: [at, JSON.stringify(info), batch],
      },
    ]);
  }

  async hasPlace({ batch, number }: BatchFile): Promise<void> {
    const sql = "UPDATE files SET state = 'uploading' WHERE batch = ? AND number = ?";
    await this.#database.run(sql, [batch, number]);
  }

  async reported(batch: string, progress: number): Promise<void> {
    await this.#database.run("UPDATE batches SET progress = ? WHERE id = ?", [progress, batch]);
  }

  /** Takes files away, and with them, where it has ended, the batch. */
  async settle(
    batch: Batch,
    { files, hasEnded, more = [] }: { files: number[]; hasEnded: boolean; more?: DatabaseStatement[] },
  ) {
    const { id, filesDone, bytesDone, failure, progress } = batch;
    const statements: DatabaseStatement[] = hasEnded
      ? [{ sql: "DELETE FROM batches WHERE id = ?", parameters: [id] }]
      : [
          ...files.map((number) => ({
            sql: "DELETE FROM files WHERE batch = ? AND number = ?",
            parameters: [id, number],
          })),
          {
            sql: "UPDATE batches SET files_done = ?, bytes_done = ?, failure = ?, progress = ? WHERE id = ?",
            parameters: [filesDone, bytesDone, failure === null ? null : JSON.stringify(failure), progress, id],
          },
        ];
    await this.#database.transaction([...statements, ...more]);
  }

  /** Files that are to be given up. */
  async overdue(batch: string, now: number): Promise<BatchFile[]> {
    const sql = "SELECT * FROM files WHERE expires_at <= ? AND batch = ? ORDER BY number LIMIT ?";
    return (await this.#database.all(sql, [now, batch, pageRows])).map(fileOf);
  }

  async overdueBatches(now: number): Promise<string[]> {
    const sql = "SELECT DISTINCT batch FROM files WHERE expires_at <= ?";
    return (await this.#database.all(sql, [now])).map(({ batch }) => batch as string);
  }

  async nextExpiry(): Promise<number | undefined> {
    return ((await this.#database.get("SELECT min(expires_at) AS at FROM files"))!.at as number | null) ?? undefined;
  }

  async expireLater({ batch, number }: BatchFile, expiresAt: number): Promise<void> {
    const sql = "UPDATE files SET expires_at = ? WHERE batch = ? AND number = ?";
    await this.#database.run(sql, [expiresAt, batch, number]);
  }

  async uploadedIdentity(path: string): Promise<string | undefined> {
    const row = await this.#database.get("SELECT identity FROM uploaded WHERE path = ?", [path]);
    return row?.identity as string | undefined;
  }

  /** A page of what was uploaded, by path. */
  async uploadedAfter(path: string): Promise<string[]> {
    const sql = "SELECT path FROM uploaded WHERE path > ? ORDER BY path LIMIT ?";
    return (await this.#database.all(sql, [path, pageRows])).map((row) => row.path as string);
  }

  async forgetUploaded(paths: string[]): Promise<void> {
    const sql = "DELETE FROM uploaded WHERE path = ?";
    await this.#database.transaction(paths.map((path) => ({ sql, parameters: [path] })));
  }

  /** The batch that this run has cancelled, in an attempt before. */
  async cancelledBy(run: string): Promise<string | undefined> {
    return (await this.#database.get("SELECT batch FROM cancelled WHERE run = ?", [run]))?.batch as string | undefined;
  }
}

export const rememberUploaded = (path: string, identity: string, at: number): DatabaseStatement => ({
  sql: "INSERT INTO uploaded (path, identity, at) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET identity = ?2, at = ?3",
  parameters: [path, identity, at],
});

export const rememberCancel = (run: string, batch: string, at: number): DatabaseStatement[] => [
  { sql: "DELETE FROM cancelled WHERE at < ?", parameters: [at - 3_600_000] },
  { sql: "INSERT INTO cancelled (run, batch, at) VALUES (?, ?, ?)", parameters: [run, batch, at] },
];

function batchOf(row: DatabaseRow): Batch {
  return {
    id: row.id as string,
    run: row.run as string,
    startedAt: row.started_at as number | null,
    info: JSON.parse(row.info as string),
    options: JSON.parse(row.options as string),
    files: row.files as number,
    filesDone: row.files_done as number,
    bytes: row.bytes as number,
    bytesDone: row.bytes_done as number,
    failure: row.failure === null ? null : JSON.parse(row.failure as string),
    progress: row.progress as number,
  };
}

function fileOf(row: DatabaseRow): BatchFile {
  return {
    batch: row.batch as string,
    number: row.number as number,
    path: row.path as string,
    realPath: row.real_path as string,
    sizeBytes: row.size_bytes as number,
    state: row.state as BatchFile["state"],
    run: row.run as string | null,
    expiresAt: row.expires_at as number | null,
  };
}
