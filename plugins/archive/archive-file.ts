// The archive as a file: opened once, so that what is recognised, hashed and unpacked is one and the same.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { PluginError } from "gantry";

const readBytes = 256 * 1024;

export class ArchiveFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly sizeBytes: number;

  private constructor(file: FileHandle, path: string, sizeBytes: number, signal: AbortSignal) {
    this.#file = file;
    this.#path = path;
    this.#signal = signal;
    this.sizeBytes = sizeBytes;
  }

  /** Throws ARCHIVE_UNREADABLE. */
  static async open(path: string, signal: AbortSignal): Promise<ArchiveFile> {
    try {
      // Of a pipe even the opening may never end otherwise.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const found = await file.stat();
      if (found.isFile()) return new ArchiveFile(file, path, found.size, signal);
      await file.close();
    } catch (cause) {
      throw unreadable((cause as Error).message, cause);
    }
    throw unreadable(`${path} is no regular file`);
  }

  /** So many bytes from there, fewer at the end. Throws ARCHIVE_UNREADABLE or the signal's reason. */
  async read(position: number, length: number): Promise<Buffer> {
    return this.readInto(Buffer.allocUnsafeSlow(length), position);
  }

  /** As many as the buffer takes; gives the part of it that is filled. Throws ARCHIVE_UNREADABLE or the signal's reason. */
  async readInto(buffer: Buffer, position: number): Promise<Buffer> {
    this.#signal.throwIfAborted();
    let have = 0;
    while (have < buffer.length) {
      const { bytesRead } = await this.#file
        .read(buffer, have, buffer.length - have, position + have)
        .catch((cause) => {
          throw unreadable(`${this.#path}: ${cause.message}`, cause);
        });
      if (bytesRead === 0) break;
      have += bytesRead;
    }
    return buffer.subarray(0, have);
  }

  /** The bytes of a part of it, by default of all; `onRead` hears how far it has come. */
  async *chunks(start = 0, end = this.sizeBytes, onRead?: (position: number) => void): AsyncGenerator<Buffer> {
    for (let position = start; position < end; ) {
      const chunk = await this.read(position, Math.min(readBytes, end - position));
      if (chunk.length === 0) return;
      position += chunk.length;
      onRead?.(position);
      yield chunk;
    }
  }

  /** Lower-case hexadecimal. */
  async sha256(): Promise<string> {
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    for (let position = 0; ; ) {
      const chunk = await this.readInto(buffer, position);
      if (chunk.length === 0) return hash.digest("hex");
      hash.update(chunk);
      position += chunk.length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

const unreadable = (why: string, cause?: unknown) => new PluginError("ARCHIVE_UNREADABLE", why, { cause });
