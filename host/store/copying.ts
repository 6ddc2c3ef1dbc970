// A thread of its own that makes the last good copy of a database and ends, so that neither the event loop nor the
// journal waits for it.

import { DatabaseSync } from "node:sqlite";
import { parentPort, Worker, workerData } from "node:worker_threads";
import { makeGoodCopy } from "./good-copy.ts";

/** False where no copy was made: the disk has no room for it, or the file cannot be read whole. */
export function copyBeside(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), {
      name: "store copy",
      workerData: { copyOf: path },
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
    worker.once("message", resolve);
    worker.once("error", () => resolve(false));
    worker.once("exit", () => resolve(false));
  });
}

const { copyOf } = (workerData ?? {}) as { copyOf?: string };
if (copyOf !== undefined) {
  const database = new DatabaseSync(copyOf, { readOnly: true, timeout: 2_000 });
  try {
    parentPort!.postMessage(makeGoodCopy(database, copyOf));
  } finally {
    database.close();
  }
}
