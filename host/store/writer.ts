// The caller's end of the writing thread: collects the writes of one turn of the event loop, bounds what is under way,
// and settles each caller's promise with the answer. A thread that dies is replaced at the next write.

import { Worker } from "node:worker_threads";
import { storeError } from "./failure.ts";
import { type Reason, reasonOf } from "./reason.ts";
import type { StoreFigures } from "./store.ts";
import type { Answer, Order, Report, Write, WriteName, Writes } from "./writes.ts";

export interface WriterLimits {
  /** Bytes handed to the thread and not answered yet; also the most one write may have. Further writes wait. */
  maxBytesInFlight: number;
  /** The thread's heap. It must hold what is in flight several times over. */
  maxHeapMb: number;
}

interface Pending {
  write: Write;
  bytes: number;
  resolve(value: never): void;
  reject(error: unknown): void;
}

/** What a write costs beside its texts. */
const WRITE_BYTES = 256;

export class Writer {
  readonly figures: StoreFigures = { writes: 0, commits: 0, bytesInFlight: 0, peakBytesInFlight: 0 };
  readonly #file: string;
  readonly #limits: WriterLimits;
  #worker: Worker | undefined;
  #starting: Promise<void> | undefined;
  #commitsOfEarlierWorkers = 0;
  /** Not handed over yet, and handed over but not answered; both in order. */
  #waiting: Pending[] = [];
  #inFlight: Pending[] = [];
  #scheduled = false;
  #closed = false;
  #onIdle: (() => void) | undefined;

  constructor(file: string, limits: WriterLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** Starts the thread; rejects with STORE_FAILED or STORE_NEWER where it cannot open the file. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Resolves once the write is synced. */
  write<Name extends WriteName>(name: Name, parameters: Parameters<Writes[Name]>): Promise<ReturnType<Writes[Name]>> {
    const bytes = WRITE_BYTES + bytesOf(parameters);
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(failed({ code: "STORE_FAILED", message: "the store is closed", ownFault: true }));
      if (bytes > this.#limits.maxBytesInFlight) {
        const message = `${bytes} bytes in one write, at most ${this.#limits.maxBytesInFlight} are possible`;
        return reject(failed({ code: "STORE_FAILED", message, ownFault: true }));
      }
      this.#waiting.push({ write: [name, parameters] as Write, bytes, resolve, reject });
      this.#schedule();
    });
  }

  /** Refuses further writes; resolves when all earlier ones are settled. */
  async drain(): Promise<void> {
    this.#closed = true;
    if (this.#waiting.length + this.#inFlight.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Ends the thread, which writes the log back into the database first. Drain before. */
  async end(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    worker.postMessage({ close: true } satisfies Order);
    await ended;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#handOver();
    });
  }

  #handOver(): void {
    if (this.#waiting.length === 0) return;
    if (this.#worker === undefined) {
      this.start().then(
        () => this.#handOver(),
        (error) => this.#rejectAll(error),
      );
      return;
    }
    const { figures } = this;
    let count = 0;
    for (const { bytes } of this.#waiting) {
      if (figures.bytesInFlight + bytes > this.#limits.maxBytesInFlight) break;
      figures.bytesInFlight += bytes;
      count++;
    }
    if (count === 0) return;
    figures.peakBytesInFlight = Math.max(figures.peakBytesInFlight, figures.bytesInFlight);
    const batch = this.#waiting.splice(0, count);
    this.#inFlight = this.#inFlight.concat(batch);
    this.#worker.postMessage({ writes: batch.map(({ write }) => write) } satisfies Order);
  }

  #settle({ values, failures, commits }: Answer): void {
    const answered = this.#inFlight.splice(0, values.length);
    const reasons = new Map(failures);
    this.figures.commits = this.#commitsOfEarlierWorkers + commits;
    for (const [index, { bytes, resolve, reject }] of answered.entries()) {
      this.figures.bytesInFlight -= bytes;
      const reason = reasons.get(index);
      if (reason !== undefined) reject(failed(reason));
      else {
        this.figures.writes++;
        resolve(values[index] as never);
      }
    }
    if (this.#waiting.length > 0) this.#schedule();
    this.#noteIdle();
  }

  #rejectAll(error: unknown): void {
    const pending = [...this.#inFlight, ...this.#waiting];
    this.#inFlight = [];
    this.#waiting = [];
    this.figures.bytesInFlight = 0;
    for (const { reject } of pending) reject(error);
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (this.#waiting.length + this.#inFlight.length === 0) this.#onIdle?.();
  }

  #start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url), {
        name: "store",
        workerData: { file: this.#file },
        resourceLimits: { maxOldGenerationSizeMb: this.#limits.maxHeapMb },
      });
      let cause: unknown;
      worker.on("message", (report: Report) => {
        if ("values" in report) this.#settle(report);
        else if ("cannotOpen" in report) reject(storeError(`${this.#file} cannot be opened`, report.cannotOpen));
        else {
          this.#worker = worker;
          resolve();
        }
      });
      worker.on("error", (error) => {
        cause = error;
      });
      worker.on("exit", (code) => {
        const what = "the writing thread ended, and with it what was under way";
        const reason =
          cause === undefined ? { code: "STORE_FAILED" as const, message: `exit ${code}` } : reasonOf(cause);
        const error = storeError(what, reason, cause);
        reject(error);
        if (this.#worker !== worker) return;
        this.#worker = undefined;
        this.#commitsOfEarlierWorkers = this.figures.commits;
        this.#rejectAll(error);
      });
    });
  }
}

const failed = (reason: Reason) => storeError("the store cannot write", reason);

function bytesOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (!Array.isArray(value)) return 8;
  let bytes = 16;
  for (const item of value) bytes += bytesOf(item);
  return bytes;
}
