// The file of an upload: what it was when it was opened, and whether it still is.

import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { PluginError } from "../plugin-error.ts";

export interface FileOptions {
  /** Absolute. */
  path: string;
  /** Whether links may lead to the file; without, the file must really be where `path` says. */
  followLinks: boolean;
  /** Whether a file that grows is sent as long as it was at the beginning. */
  allowGrowth: boolean;
}

export class UploadFile {
  readonly sizeBytes: number;
  /** The same for as long as nobody has written the file. */
  readonly identity: string;
  readonly #options: FileOptions;
  readonly #handle: FileHandle;
  readonly #stats: BigIntStats;

  private constructor(options: FileOptions, handle: FileHandle, stats: BigIntStats) {
    this.#options = options;
    this.#handle = handle;
    this.#stats = stats;
    this.sizeBytes = Number(stats.size);
    this.identity = fileIdentity(stats);
  }

  /** Rejects with UPLOAD_FILE_UNREADABLE, also where it is no regular file. */
  static async open(options: FileOptions): Promise<UploadFile> {
    const { path, followLinks } = options;
    let handle: FileHandle | undefined;
    try {
      // Not waiting: opening a pipe that nobody writes would never end.
      const links = followLinks ? 0 : constants.O_NOFOLLOW;
      handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | links);
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw unreadable(path, stats.isDirectory() ? "is a directory" : "is no regular file");
      // What was opened is what counts: a folder on the way may have become a link meanwhile.
      if (!followLinks && (await readlink(`/proc/self/fd/${handle.fd}`)) !== path)
        throw unreadable(path, "is reached through a link");
      return new UploadFile(options, handle, stats);
    } catch (error) {
      await handle?.close();
      if (error instanceof PluginError) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      throw unreadable(path, code === "ELOOP" ? "is a link" : message, error);
    }
  }

  /**
   * These bytes in chunks. With `reuse` a chunk holds its bytes only until the third one after it is asked for: so a
   * large file needs no more memory than a small one. Ends with UPLOAD_FILE_TRUNCATED where the bytes are gone.
   */
  async *chunks(start: number, lengthBytes: number, reuse: boolean): AsyncGenerator<Buffer> {
    const end = start + lengthBytes;
    const buffers: Buffer[] = [];
    for (let at = start, count = 0; at < end; count++) {
      const wanted = Math.min(chunkBytes, end - at);
      const slot = count % reusedChunks;
      const buffer = (reuse ? buffers[slot] : undefined) ?? Buffer.allocUnsafeSlow(wanted);
      if (reuse) buffers[slot] = buffer;
      const { bytesRead } = await this.#handle.read(buffer, 0, wanted, at).catch((error) => {
        throw unreadable(this.#options.path, error.message, error);
      });
      if (bytesRead === 0) throw this.#truncated(at);
      yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  /** Rejects with UPLOAD_FILE_TRUNCATED, UPLOAD_FILE_GREW or UPLOAD_FILE_CHANGED where it is not what was opened. */
  async check(): Promise<void> {
    const now = await this.#handle.stat({ bigint: true });
    if (now.size < this.#stats.size) throw this.#truncated(Number(now.size));
    if (this.#options.allowGrowth || fileIdentity(now) === this.identity) return;
    const { path } = this.#options;
    if (now.size > this.#stats.size)
      throw new PluginError("UPLOAD_FILE_GREW", `${path} grew from ${this.sizeBytes} to ${now.size} bytes meanwhile`);
    throw new PluginError("UPLOAD_FILE_CHANGED", `${path} was written meanwhile`);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #truncated(sizeBytes: number): PluginError {
    const text = `${this.#options.path} was cut from ${this.sizeBytes} to ${sizeBytes} bytes meanwhile`;
    return new PluginError("UPLOAD_FILE_TRUNCATED", text);
  }
}

/** Changes with every write to the file, and when another file takes its place. */
export function fileIdentity({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}-${ino}-${size}-${mtimeNs}`;
}

/** Also the unit in which the rate is kept and progress is told. */
const chunkBytes = 1 << 18;
const reusedChunks = 4;

function unreadable(path: string, why: string, cause?: unknown): PluginError {
  return new PluginError("UPLOAD_FILE_UNREADABLE", `${path} ${why}`, { cause });
}
