// The thread of copying.ts: copies one database and ends.

import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { makeGoodCopy } from "./good-copy.ts";

const { path } = workerData as { path: string };
const database = new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
try {
  parentPort!.postMessage(makeGoodCopy(database, path));
} finally {
  database.close();
}
