// A file that grows at its end. What is added is written in the background, as much at a time as has gathered while the
// last write went on, so that little is lost in a crash on a slow link, and little is called on a fast one.

import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { writeFailure } from "./failures.ts";
import { release } from "./reused-buffer.ts";

/** Whoever adds waits while more than this is to be written. */
const maxWaitingBytes = 1 << 20;

/** The rights of a part, whatever those of the file will be. */
const ownMode = 0o600;

export class PartFile {
  readonly #file: FileHandle;
  #writtenBytes: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  private constructor(file: FileHandle, writtenBytes: number) {
    this.#file = file;
    this.#writtenBytes = writtenBytes;
  }

  /** A new one; what was there is removed, and a link that somebody put there is not followed. */
  static async create(path: string): Promise<PartFile> {
    const make = () => open(path, "wx", ownMode);
    const file = await make().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
      await rm(path, { force: true });
      return make();
    });
    return new PartFile(file, 0);
  }

  /** The one that is there, cut to at most so many bytes; undefined when it is none that this process made. */
  static async reopen(path: string, maxBytes: number): Promise<PartFile | undefined> {
    const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch(() => undefined);
    if (file === undefined) return undefined;
    const found = await file.stat();
    if (!found.isFile() || found.nlink !== 1 || found.uid !== process.geteuid!()) {
      await file.close();
      return undefined;
    }
    const size = Math.min(found.size, maxBytes);
    if (size < found.size) await file.truncate(size);
    if ((found.mode & 0o7777) !== ownMode) await file.chmod(ownMode);
    return new PartFile(file, size);
  }

  get handle(): FileHandle {
    return this.#file;
  }

  /** What the file holds; what waits to be written comes on top. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Takes the chunk, which must not be used afterwards; resolves when there is room for another one. */
  async add(chunk: Buffer): Promise<void> {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#writing ??= this.#write();
    if (this.#waitingBytes >= maxWaitingBytes) await this.#writing;
    this.#throwFailure();
  }

  /** All that was added is in the file. */
  async settle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    this.#throwFailure();
  }

  /** What is in the file by now is on disk. */
  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  /** On disk, too. */
  async setMode(mode: number): Promise<void> {
    if (mode === ownMode) return;
    await this.#file.chmod(mode);
    await this.#file.sync();
  }

  async empty(): Promise<void> {
    await this.settle();
    await this.#file.truncate(0);
    this.#writtenBytes = 0;
  }

  async close(): Promise<void> {
    await this.settle().catch(() => {});
    await this.#file.close();
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && this.#failure === undefined) {
        const batch = this.#waiting;
        this.#waiting = [];
        this.#waitingBytes = 0;
        await this.#writeAll(batch);
        for (const chunk of batch) release(chunk);
      }
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeAll(batch: Buffer[]): Promise<void> {
    for (let left = batch; left.length > 0; ) {
      let { bytesWritten } = await this.#file.writev(left, this.#writtenBytes);
      this.#writtenBytes += bytesWritten;
      // A full disk may take a part.
      while (left.length > 0 && bytesWritten >= left[0]!.length) {
        bytesWritten -= left[0]!.length;
        left = left.slice(1);
      }
      if (bytesWritten > 0) left = [left[0]!.subarray(bytesWritten), ...left.slice(1)];
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw writeFailure(this.#failure);
  }
}
