// The writing thread's part of large-values.ts: a file is on the disk before the row that names it is committed, and
// goes after the commit that drops the last such row.

import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { largeFolder } from "./data-directory.ts";
import { digestIn, LARGE_BYTES, largeFile, markOf } from "./large-values.ts";
import { numberOfRun } from "./schema.ts";
import { syncPath, writeFileSynced } from "./synced-files.ts";

export class LargeFiles {
  readonly #dataDirectory: string;
  readonly #isNamed: (runId: string, digest: string) => boolean;
  #dropped: [runId: string, digest: string][] = [];

  constructor(dataDirectory: string, database: DatabaseSync) {
    this.#dataDirectory = dataDirectory;
    const find = database.prepare(
      `SELECT 1 FROM journal WHERE run_number = ${numberOfRun}
         AND data >= 'large:' AND data < 'large;' AND substr(data, -64) = ?2
       UNION ALL SELECT 1 FROM runs WHERE id = ?1
         AND ?2 IN (substr(input, -64), substr(event, -64), substr(output, -64), substr(error, -64)) LIMIT 1`,
    );
    this.#isNamed = (runId, digest) => find.get(runId, digest) !== undefined;
  }

  /** What goes into the row for this text. */
  keep(runId: string, text: string): string {
    // A text has at most three bytes for each of its units.
    if (text.length * 3 <= LARGE_BYTES || Buffer.byteLength(text) <= LARGE_BYTES) return text;
    const mark = markOf(text);
    const file = largeFile(this.#dataDirectory, runId, digestIn(mark)!);
    if (!existsSync(file)) {
      if (mkdirSync(dirname(file), { recursive: true, mode: 0o700 }) !== undefined) {
        syncPath(largeFolder(this.#dataDirectory));
        syncPath(this.#dataDirectory);
      }
      writeFileSynced(file, text);
    }
    return mark;
  }

  /** Notes that a row went which held this. */
  drop(runId: string, stored: string): void {
    const digest = digestIn(stored);
    if (digest !== undefined) this.#dropped.push([runId, digest]);
  }

  /** After a commit, or after one that failed: then rows still name the files, and they stay. */
  removeDropped(): void {
    if (this.#dropped.length === 0) return;
    for (const [runId, digest] of this.#dropped.splice(0))
      if (!this.#isNamed(runId, digest)) rmSync(largeFile(this.#dataDirectory, runId, digest), { force: true });
  }

  /** Removes what a crash has left between file and commit. Nobody may be writing. What is in the way stays. */
  sweep(): void {
    const folder = largeFolder(this.#dataDirectory);
    for (const runId of namesIn(folder, "folders")) {
      for (const name of namesIn(join(folder, runId), "files"))
        if (!this.#isNamed(runId, name)) rmSync(join(folder, runId, name), { force: true });
      if (readdirSync(join(folder, runId)).length === 0) rmdirSync(join(folder, runId));
    }
  }
}

function namesIn(folder: string, kind: "files" | "folders"): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => (kind === "files" ? entry.isFile() : entry.isDirectory())).map(({ name }) => name);
}
