// Writes the files of an archive. Small ones are written beside the unpacking of others, and all are synced and closed
// so: they share the disk's commits, and nobody waits for each call.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** So many files at a time. */
const maxPending = 16;

/** Up to here a file is small: its content waits in memory. */
const smallBytes = 64 * 1024;

const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export interface NewFile {
  /** Absolute. */
  path: string;
  mode: number;
  modifiedAt: Date | undefined;
  sizeBytes: number;
  /** Exactly so many, in chunks, each of which holds until the next one is asked for. */
  content: AsyncIterable<Uint8Array>;
}

export class FileWrites {
  readonly #pending = new Set<Promise<void>>();
  /** For the content of small files, used again and again. */
  readonly #buffers: Buffer[] = [];
  #failure: unknown;

  /**
   * Resolves when the content has been read and there is room for another file. Rejects with what the content rejects
   * with, and with the system's errors, also those of earlier files.
   */
  async add(file: NewFile): Promise<void> {
    if (file.sizeBytes <= smallBytes) {
      const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(smallBytes);
      const content = await readAll(file, buffer);
      this.#begin(async () => {
        const handle = await open(file.path, flags, file.mode);
        await closing(handle, () => writeAll(handle, content));
        this.#buffers.push(buffer);
        await finish(handle, file);
      });
    } else {
      const handle = await open(file.path, flags, file.mode);
      await closing(handle, async () => {
        for await (const chunk of file.content) await writeAll(handle, chunk);
      });
      this.#begin(() => finish(handle, file));
    }
    while (this.#pending.size >= maxPending) await Promise.race(this.#pending);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when all are on disk. */
  async done(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #begin(work: () => Promise<void>): void {
    const done: Promise<void> = work()
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }
}

/** Closes the file if the work fails. */
async function closing(handle: FileHandle, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function finish(handle: FileHandle, { modifiedAt, sizeBytes }: NewFile): Promise<void> {
  try {
    if (modifiedAt !== undefined && !Number.isNaN(modifiedAt.getTime())) await handle.utimes(new Date(), modifiedAt);
    // One without content is no more than its name, which is synced with its folder.
    if (sizeBytes > 0) await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, content: Uint8Array): Promise<void> {
  for (let written = 0; written < content.length; ) {
    const { bytesWritten } = await handle.write(content, written, content.length - written);
    written += bytesWritten;
  }
}

async function readAll({ content }: NewFile, buffer: Buffer): Promise<Buffer> {
  let have = 0;
  for await (const chunk of content) {
    buffer.set(chunk, have);
    have += chunk.length;
  }
  return buffer.subarray(0, have);
}
