// A response's body -> a file, hashed and measured on the way, on disk when this resolves.

import { type FileHandle, open, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { PluginError } from "gantry";
import type { Digester } from "./checksums.ts";
import { connectionFailure, silent, writeFailure } from "./failures.ts";

/** Chunks are gathered to this much before they are written. */
const batchBytes = 1 << 20;

export interface ReceiveOptions {
  path: string;
  /** Not one byte more is accepted. */
  limitBytes: number;
  digester: Digester;
  signal: AbortSignal;
  /** How long the server may say nothing between two parts. */
  silenceMs: number;
  /** What is received, for messages. */
  shown: string;
  onBytes(receivedBytes: number, expectedBytes: number | undefined): void;
}

/** Resolves with the number of bytes. Throws DOWNLOAD_TOO_LARGE, _TRUNCATED, _SILENT, _CONNECTION_FAILED, _WRITE_FAILED. */
export async function receive(response: IncomingMessage, options: ReceiveOptions): Promise<number> {
  const { path, limitBytes, digester, shown, onBytes } = options;
  const expected = lengthOf(response);
  if (expected !== undefined && expected > limitBytes) {
    response.destroy();
    throw tooLarge(shown, limitBytes);
  }
  const file = await create(path).catch((error) => {
    response.destroy();
    throw writeFailure(error);
  });
  try {
    const writer = new BatchWriter(file);
    let received = 0;
    for await (const chunk of bodyOf(response, options)) {
      received += chunk.length;
      if (received > limitBytes) throw tooLarge(shown, limitBytes);
      // The disk writes the last batch while this one is hashed.
      digester.update(chunk);
      await writer.write(chunk);
      onBytes(received, expected);
    }
    if (!response.complete || (expected !== undefined && received < expected))
      throw truncated(shown, received, expected);
    await writer.end();
    return received;
  } finally {
    response.destroy();
    await file.close();
  }
}

// A leftover of a crash is replaced, and a link that somebody put there is not followed.
async function create(path: string): Promise<FileHandle> {
  await rm(path, { force: true });
  return open(path, "wx", 0o600);
}

async function* bodyOf(
  response: IncomingMessage,
  { signal, silenceMs, shown }: ReceiveOptions,
): AsyncGenerator<Buffer> {
  // Only the time that is spent waiting for the server counts, not that of writing.
  let waiting = true;
  let received = 0;
  const timer = setTimeout(() => {
    if (waiting) response.destroy(silent(shown, silenceMs));
    else timer.refresh();
  }, silenceMs);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      waiting = false;
      received += chunk.length;
      yield chunk;
      waiting = true;
      timer.refresh();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE")
      throw truncated(shown, received, lengthOf(response), error);
    throw connectionFailure(error, shown);
  } finally {
    clearTimeout(timer);
  }
}

class BatchWriter {
  readonly #file: FileHandle;
  #batch: Buffer[] = [];
  #batchLength = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#batch.push(chunk);
    this.#batchLength += chunk.length;
    if (this.#batchLength >= batchBytes) await this.#flush();
  }

  /** All is on disk. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.#file.sync().catch((error) => {
      throw writeFailure(error);
    });
  }

  async #flush(): Promise<void> {
    await this.#writing;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchLength = 0;
    this.#writing = writeAll(this.#file, batch);
    // It is awaited with the next batch.
    this.#writing.catch(() => {});
  }
}

async function writeAll(file: FileHandle, batch: Buffer[]): Promise<void> {
  try {
    for (let left = batch; left.length > 0; ) {
      let { bytesWritten } = await file.writev(left);
      // A full disk may take a part.
      while (left.length > 0 && bytesWritten >= left[0]!.length) {
        bytesWritten -= left[0]!.length;
        left = left.slice(1);
      }
      if (bytesWritten > 0) left = [left[0]!.subarray(bytesWritten), ...left.slice(1)];
    }
  } catch (error) {
    throw writeFailure(error);
  }
}

function lengthOf({ headers }: IncomingMessage): number | undefined {
  const length = Number(headers["content-length"]);
  return headers["content-length"] === undefined || !Number.isSafeInteger(length) ? undefined : length;
}

function tooLarge(shown: string, limitBytes: number): PluginError {
  return new PluginError("DOWNLOAD_TOO_LARGE", `${shown} has more than ${limitBytes} bytes`, {
    details: { limitBytes },
  });
}

function truncated(shown: string, received: number, expected: number | undefined, cause?: unknown): PluginError {
  const whole = expected === undefined ? "" : ` of ${expected}`;
  return new PluginError(
    "DOWNLOAD_TRUNCATED",
    `the body of ${shown} ended too early, after ${received}${whole} bytes`,
    { cause },
  );
}
