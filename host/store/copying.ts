// Makes the last good copy of a database in a thread of its own, so that neither the event loop nor the journal waits
// for it.

import { Worker } from "node:worker_threads";

/** False where no copy was made: the disk has no room for it, or the file cannot be read whole. */
export function copyBeside(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(`./copy-worker${import.meta.url.slice(-3)}`, import.meta.url), {
      name: "store copy",
      workerData: { path },
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
    worker.once("message", resolve);
    worker.once("error", () => resolve(false));
    worker.once("exit", () => resolve(false));
  });
}
