// The writing thread's end of one file: opened, checked, made ready to be written.

import { statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { checkDatabase } from "./check.ts";
import type { Recovered } from "./damage.ts";
import { endUnreadableRuns } from "./damaged-runs.ts";
import { databaseWrites } from "./database-writes.ts";
import { makeGoodCopy } from "./good-copy.ts";
import { GroupCommit } from "./group-commit.ts";
import { LargeFiles } from "./large-files.ts";
import type { Reason } from "./reason.ts";
import { openWhatever } from "./recover.ts";
import { migrate, SCHEMA_VERSION, schemaVersion } from "./schema.ts";
import { hostWrites, type Kind, type WriteSet } from "./writes.ts";

export interface OpenFile {
  readonly group: GroupCommit;
  readonly recovered: Recovered[];
  /** Writes the log back, and makes the last good copy where one is wanted. False where none was made. */
  close(copy: boolean): boolean;
}

interface Ready {
  database: DatabaseSync;
  writes: WriteSet;
  large?: LargeFiles;
}

/** The tables are of a later version; the file is as it should be. */
export class NewerTables extends Error {
  readonly reason: Reason;

  constructor(version: number) {
    super(`its tables have version ${version}, this Gantry knows up to ${SCHEMA_VERSION}`);
    this.reason = { code: "STORE_NEWER", message: this.message };
  }
}

export function openFile({ path, kind, dataDirectory, first }: OpenOrder): OpenFile {
  const make = (unclean: boolean) => makeReady(path, kind, dataDirectory, first, unclean);
  const opened = first ? openWhatever(path, make) : { database: make(false), unclean: false, recovered: undefined };
  const { database, writes, large } = opened.database;
  const recovered = opened.recovered === undefined ? [] : [opened.recovered];
  try {
    if (first && large !== undefined) {
      // After damage, files whose rows are lost stay for whoever tries to mend it.
      if (opened.unclean && opened.recovered === undefined) large.sweep();
      recovered.push(...endUnreadableRuns(database, dataDirectory));
    }
  } catch (error) {
    database.close();
    throw error;
  }
  const group = new GroupCommit(database, writes, {
    folder: dirname(path),
    afterCommit: () => large?.removeDropped(),
  });
  return { group, recovered, close: (copy) => close(database, path, copy) };
}

function close(database: DatabaseSync, path: string, copy: boolean): boolean {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return copy && statSync(path).size <= MAX_COPY_AT_CLOSE_BYTES && makeGoodCopy(database, path);
  } catch {
    // A log that cannot be written back is read at the next start; a copy that cannot be made leaves the earlier one.
    return false;
  } finally {
    database.close();
  }
}

/** A stop must not take long; a larger file is copied while the host runs. */
const MAX_COPY_AT_CLOSE_BYTES = 64 * 1024 * 1024;

interface OpenOrder {
  path: string;
  kind: Kind;
  dataDirectory: string;
  first: boolean;
}

function makeReady(path: string, kind: Kind, dataDirectory: string, first: boolean, unclean: boolean): Ready {
  const database = new DatabaseSync(path, { timeout: 2_000, enableForeignKeyConstraints: true });
  try {
    // The log file shrinks again after a burst instead of keeping its largest size.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8000000");
    if (first) checkDatabase(database, path, unclean);
    if (kind === "plugin") return { database, writes: databaseWrites(database) };
    const version = schemaVersion(database);
    if (version > SCHEMA_VERSION) throw new NewerTables(version);
    migrate(database);
    const large = new LargeFiles(dataDirectory, database);
    return { database, writes: hostWrites(database, large), large };
  } catch (error) {
    database.close();
    throw error;
  }
}
