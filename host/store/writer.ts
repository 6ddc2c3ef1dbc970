// The caller's end of one file: collects the writes of one turn of the event loop, bounds what is under way, and settles
// each caller's promise with the answer. Where the thread has died, the next write opens the file again.

import type { GantryError } from "../errors.ts";
import type { Recovered } from "./damage.ts";
import { storeError } from "./failure.ts";
import type { Reason } from "./reason.ts";
import type { StoreFigures } from "./store.ts";
import type { Answer, Kind, Parameters, Report, Result, Write, WriteName } from "./writes.ts";
import type { FileListener, WritingThread } from "./writing-thread.ts";

export interface WriterOptions<Of extends Kind> {
  kind: Of;
  path: string;
  dataDirectory: string;
  /** Bytes handed to the thread and not answered yet; also the most one write may have. Further writes wait. */
  maxBytesInFlight: number;
  onRecovered(fact: Recovered): void;
  /** How a write that cannot be carried out is told to its caller. */
  refusal?(reason: Reason): GantryError;
}

interface Pending {
  write: Write;
  bytes: number;
  resolve(value: never): void;
  reject(error: unknown): void;
}

/** What a write costs beside its texts. */
const WRITE_BYTES = 256;

export class Writer<Of extends Kind> implements FileListener {
  readonly figures: StoreFigures = { writes: 0, commits: 0, bytesInFlight: 0, peakBytesInFlight: 0 };
  readonly #options: WriterOptions<Of>;
  readonly #thread: WritingThread;
  readonly #file: number;
  #state: "closed" | "opening" | "open" = "closed";
  #opened = Promise.withResolvers<void>();
  #everOpened = false;
  #onClosed: ((copied: boolean) => void) | undefined;
  #commitsOfEarlierThreads = 0;
  /** Not handed over yet, and handed over but not answered; both in order. */
  #waiting: Pending[] = [];
  #inFlight: Pending[] = [];
  #scheduled = false;
  #refusing = false;
  #onIdle: (() => void) | undefined;

  constructor(thread: WritingThread, options: WriterOptions<Of>) {
    this.#options = options;
    this.#thread = thread;
    this.#file = thread.register(this);
  }

  /** Opens the file; rejects where that is not possible, with STORE_NEWER or why the disk refuses. */
  start(): Promise<void> {
    if (this.#state === "closed") {
      this.#state = "opening";
      this.#opened = Promise.withResolvers();
      const { path, kind, dataDirectory } = this.#options;
      this.#thread.post({ file: this.#file, open: { path, kind, dataDirectory, first: !this.#everOpened } });
    }
    return this.#opened.promise;
  }

  /** Resolves once the write is synced. */
  write<Name extends WriteName<Of>>(name: Name, parameters: Parameters<Of, Name>): Promise<Result<Of, Name>> {
    const bytes = WRITE_BYTES + bytesOf(parameters);
    return new Promise((resolve, reject) => {
      if (this.#refusing) return reject(this.#refusal(ownFault("the store is closed")));
      const { maxBytesInFlight } = this.#options;
      if (bytes > maxBytesInFlight)
        return reject(this.#refusal(ownFault(`${bytes} bytes in one write, at most ${maxBytesInFlight} are possible`)));
      this.#waiting.push({ write: [name, parameters], bytes, resolve, reject });
      this.#schedule();
    });
  }

  /** Refuses further writes; resolves when all earlier ones are settled. */
  async drain(): Promise<void> {
    this.#refusing = true;
    if (this.#waiting.length + this.#inFlight.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Writes the log back into the file, makes its last good copy if wanted, and closes it. Drain before. */
  async close(copy: boolean): Promise<boolean> {
    if (this.#state !== "open") return false;
    return new Promise((resolve) => {
      this.#onClosed = resolve;
      this.#thread.post({ file: this.#file, close: true, copy });
    });
  }

  report(report: Report): void {
    if ("values" in report) this.#settle(report);
    else if ("ready" in report) {
      this.#state = "open";
      this.#everOpened = true;
      for (const fact of report.recovered) this.#options.onRecovered(fact);
      this.#opened.resolve();
    } else if ("cannotOpen" in report) {
      this.#state = "closed";
      this.#opened.reject(storeError(`${this.#options.path} cannot be opened`, report.cannotOpen));
    } else {
      this.#state = "closed";
      this.#onClosed?.(report.copied);
    }
  }

  lost(error: Error): void {
    const before = this.#state;
    this.#state = "closed";
    this.#commitsOfEarlierThreads = this.figures.commits;
    if (before === "opening") this.#opened.reject(error);
    this.#onClosed?.(false);
    this.#rejectAll(error);
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
    if (this.#waiting.length === 0 || this.#state === "opening") return;
    if (this.#state === "closed") {
      this.start().then(
        () => this.#handOver(),
        (error) => this.#rejectAll(error),
      );
      return;
    }
    const { figures } = this;
    let count = 0;
    for (const { bytes } of this.#waiting) {
      if (figures.bytesInFlight + bytes > this.#options.maxBytesInFlight) break;
      figures.bytesInFlight += bytes;
      count++;
    }
    if (count === 0) return;
    figures.peakBytesInFlight = Math.max(figures.peakBytesInFlight, figures.bytesInFlight);
    const batch = this.#waiting.splice(0, count);
    this.#inFlight = this.#inFlight.concat(batch);
    this.#thread.post({ file: this.#file, writes: batch.map(({ write }) => write) });
  }

  #settle({ values, failures, commits }: Answer): void {
    const answered = this.#inFlight.splice(0, values.length);
    const reasons = failures.length === 0 ? undefined : new Map(failures);
    this.figures.commits = this.#commitsOfEarlierThreads + commits;
    for (let index = 0; index < answered.length; index++) {
      const { bytes, resolve, reject } = answered[index]!;
      this.figures.bytesInFlight -= bytes;
      const reason = reasons?.get(index);
      if (reason !== undefined) reject(this.#refusal(reason));
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

  #refusal(reason: Reason): GantryError {
    return this.#options.refusal?.(reason) ?? storeError("the store cannot write", reason);
  }
}

const ownFault = (message: string): Reason => ({ code: "STORE_FAILED", message, ownFault: true });

function bytesOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (!Array.isArray(value)) return 8;
  let bytes = 16;
  for (const item of value) bytes += bytesOf(item);
  return bytes;
}
