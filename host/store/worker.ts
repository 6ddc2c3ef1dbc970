// The thread that writes. It takes everything that has arrived, commits it at once, and answers.

import { DatabaseSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { GroupCommit } from "./group-commit.ts";
import { reasonOf } from "./reason.ts";
import { migrate, SCHEMA_VERSION, schemaVersion } from "./schema.ts";
import { type Order, prepareWrites, type Report, type Write } from "./writes.ts";

const port = parentPort!;
const { file } = workerData as { file: string };

const report = (message: Report) => port.postMessage(message);

function open(): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 2_000, enableForeignKeyConstraints: true });
  // The log file shrinks again after a burst instead of keeping its largest size.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8000000");
  migrate(database);
  return database;
}

function serve(database: DatabaseSync): void {
  const group = new GroupCommit(database, prepareWrites(database));
  port.on("message", (first: Order) => {
    const writes: Write[] = [];
    let closing = false;
    for (let order: Order | undefined = first; order !== undefined; order = receiveMessageOnPort(port)?.message) {
      if ("close" in order) closing = true;
      else writes.push(...order.writes);
    }
    if (writes.length > 0) report(group.commit(writes));
    if (!closing) return;
    try {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      database.close();
      port.close();
    }
  });
  report({ ready: true });
}

try {
  const database = open();
  const version = schemaVersion(database);
  if (version > SCHEMA_VERSION) {
    database.close();
    report({
      cannotOpen: {
        code: "STORE_NEWER",
        message: `its tables have version ${version}, this Gantry knows up to ${SCHEMA_VERSION}`,
      },
    });
  } else serve(database);
} catch (error) {
  report({ cannotOpen: reasonOf(error) });
}
