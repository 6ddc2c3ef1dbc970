// What plugins that upload files have in common, whatever their server: the file in parts, progress in bytes, the limit
// on the rate, and a watch over servers that no longer do anything.

import { PluginError } from "../plugin-error.ts";
import type { StepContext } from "../sdk.ts";
import {
  contentOf,
  type Digest,
  digestOf,
  gzipParts,
  gzipWhole,
  plainPart,
  plainParts,
  type UploadPart,
} from "./parts.ts";
import { type FileOptions, UploadFile } from "./upload-file.ts";

export interface UploadOptions extends FileOptions {
  compression: "none" | "gzip";
  /** How long neither side may do anything. */
  silenceMs: number;
}

type Context = Pick<StepContext, "signal" | "progress" | "throttle">;

/** Rejects with UPLOAD_FILE_UNREADABLE. Close it. */
export async function openUpload(options: UploadOptions, context: Context): Promise<Upload> {
  context.signal.throwIfAborted();
  return new Upload(await UploadFile.open(options), options, context);
}

export class Upload {
  readonly #file: UploadFile;
  readonly #options: UploadOptions;
  readonly #context: Context;
  #sentBytes = 0;

  constructor(file: UploadFile, options: UploadOptions, context: Context) {
    this.#file = file;
    this.#options = options;
    this.#context = context;
  }

  /** Of the file. */
  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  /** Tells contents apart: what was sent under another one is not the beginning of this file. */
  get identity(): string {
    return `${this.#file.identity}-${this.#options.compression}`;
  }

  /** One after the other; the last is the shortest. An empty file is one empty part. */
  parts(partBytes: number): AsyncGenerator<UploadPart> {
    return this.#isPlain ? plainParts(this.#file, partBytes) : gzipParts(this.#file, partBytes);
  }

  /** What begins at this byte of the file, as it is; not where it is compressed on the way. */
  partFrom(start: number, maxBytes: number): UploadPart {
    return plainPart(this.#file, 1, start, Math.min(maxBytes, this.sizeBytes - start));
  }

  /** All of it as one part. */
  async whole(): Promise<UploadPart> {
    return this.#isPlain ? plainPart(this.#file, 1, 0, this.sizeBytes) : await gzipWhole(this.#file);
  }

  /** Of all that is sent; reads the file for it. */
  async digest(algorithm: Digest): Promise<Buffer> {
    return await digestOf(contentOf(this.#file, this.#isPlain), algorithm);
  }

  /** Counts what the server has from an earlier attempt. */
  skip({ fileBytes }: { fileBytes: number }): void {
    this.#report(fileBytes);
  }

  /**
   * One request, with the bytes of a part or with none. `send` passes `body` on and heeds `signal`. With `isWhole` the
   * request is all the server needs, so the file is looked at again before the last bytes leave. Rejects with
   * UPLOAD_SERVER_SILENT, with the reason of the step's abort, with what is wrong with the file, or as `send`.
   */
  async exchange<Answer>(
    part: UploadPart | undefined,
    send: (body: AsyncIterable<Buffer>, signal: AbortSignal) => Promise<Answer>,
    { isWhole = false } = {},
  ): Promise<Answer> {
    const { signal } = this.#context;
    const silence = new Silence(this.#options.silenceMs);
    const sending = new Sending(part, this.#context, silence, (bytes) => this.#report(bytes));
    const ending = AbortSignal.any([signal, silence.signal]);
    try {
      const answer = await send(isWhole ? this.#checked(sending) : sending.body(), ending);
      sending.finish();
      return answer;
    } catch (error) {
      sending.takeBack();
      throw sending.fault ?? (ending.aborted ? ending.reason : error);
    } finally {
      silence.end();
    }
  }

  /** The last chunk only once the file has been looked at again. */
  async *#checked(sending: Sending): AsyncGenerator<Buffer> {
    let held: Buffer | undefined;
    for await (const chunk of sending.body()) {
      if (held !== undefined) yield held;
      held = chunk;
    }
    await this.check().catch((error) => {
      sending.fault = error;
      throw error;
    });
    if (held !== undefined) yield held;
  }

  /** Rejects where the file is no longer what it was: call it before what was sent becomes valid. */
  check(): Promise<void> {
    return this.#file.check();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  get #isPlain(): boolean {
    return this.#options.compression === "none";
  }

  #report(bytes: number): void {
    this.#sentBytes += bytes;
    const total = this.sizeBytes;
    const sent = Math.max(0, Math.min(this.#sentBytes, total));
    const percent = total === 0 ? 100 : (sent / total) * 100;
    this.#context.progress({ percent, details: { bytes: sent, totalBytes: total } });
  }
}

/** One part on its way. */
class Sending {
  /** What is wrong with the file. */
  fault: unknown;
  readonly #part: UploadPart | undefined;
  readonly #context: Context;
  readonly #silence: Silence;
  readonly #report: (bytes: number) => void;
  /** Of the file. */
  #counted = 0;
  #passedOn = 0;

  constructor(part: UploadPart | undefined, context: Context, silence: Silence, report: (bytes: number) => void) {
    this.#part = part;
    this.#context = context;
    this.#silence = silence;
    this.#report = report;
  }

  /** Its bytes, as fast as the run may send them. From the beginning again where it is asked for again. */
  async *body(): AsyncGenerator<Buffer> {
    if (this.#part === undefined) return;
    this.takeBack();
    const { throttle } = this.#context;
    try {
      for await (const chunk of this.#part.chunks()) {
        this.#silence.pause();
        await throttle(chunk.length);
        this.#silence.begin();
        yield chunk;
        this.#count(chunk.length);
      }
    } catch (error) {
      // Who reads this may end it with an error of the connection, which is not the file's.
      if (error instanceof PluginError) this.fault = error;
      throw error;
    }
  }

  finish(): void {
    this.#add((this.#part?.fileBytes ?? 0) - this.#counted);
  }

  takeBack(): void {
    this.#passedOn = 0;
    this.#add(-this.#counted);
  }

  #count(bytes: number): void {
    const { lengthBytes, fileBytes } = this.#part!;
    this.#passedOn += bytes;
    this.#add(Math.floor((this.#passedOn / lengthBytes) * fileBytes) - this.#counted);
  }

  #add(bytes: number): void {
    if (bytes === 0) return;
    this.#counted += bytes;
    this.#report(bytes);
  }
}

/** Aborts when too long nothing has happened. */
class Silence {
  readonly #durationMs: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
    this.begin();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something has happened. */
  begin(): void {
    if (this.#ended) return;
    if (this.#timer !== undefined) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#abort(), this.#durationMs);
  }

  /** It is this device that waits. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** For good: a body that nobody reads any more may still be waiting for its turn. */
  end(): void {
    this.#ended = true;
    this.pause();
  }

  #abort(): void {
    const text = `the server took nothing and said nothing for ${this.#durationMs} ms`;
    this.#controller.abort(new PluginError("UPLOAD_SERVER_SILENT", text));
  }
}
