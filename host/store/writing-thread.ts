// The caller's end of the writing thread: starts it when it is first needed, and passes orders and reports on to the
// files they are for.

import { Worker } from "node:worker_threads";
import { storeError } from "./failure.ts";
import { reasonOf } from "./reason.ts";
import type { Order, Report } from "./writes.ts";

/** Who is told what the thread says of one file. */
export interface FileListener {
  report(report: Report): void;
  /** The thread has ended, and with it everything under way. */
  lost(error: Error): void;
}

export class WritingThread {
  readonly #maxHeapMb: number;
  readonly #listeners = new Map<number, FileListener>();
  #worker: Worker | undefined;
  #files = 0;

  /** `maxHeapMb` must hold what is in flight several times over. */
  constructor(maxHeapMb: number) {
    this.#maxHeapMb = maxHeapMb;
  }

  /** Gives a file its number. */
  register(listener: FileListener): number {
    this.#listeners.set(++this.#files, listener);
    return this.#files;
  }

  post(order: Order): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(order);
  }

  /** All files are closed. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url), {
      name: "store",
      resourceLimits: { maxOldGenerationSizeMb: this.#maxHeapMb },
    });
    let cause: unknown;
    worker.on("message", (report: Report) => this.#listeners.get(report.file)?.report(report));
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (code) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const reason = cause === undefined ? { code: "STORE_FAILED" as const, message: `exit ${code}` } : reasonOf(cause);
      const error = storeError("the writing thread ended, and with it what was under way", reason, cause);
      for (const listener of this.#listeners.values()) listener.lost(error);
    });
    return worker;
  }
}
