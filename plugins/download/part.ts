// The beginning of a file that is not complete: its bytes, their digests, and what the host remembers of it.

import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "gantry/toolkit/folders";
import type { Checksums, Digester } from "./checksums.ts";
import { writeFailure } from "./failures.ts";
import { digestFile } from "./file-digests.ts";
import { PartFile } from "./part-file.ts";
import { certainBytes, PartMemory } from "./part-memory.ts";
import type { PartRecords } from "./part-records.ts";
import type { Version } from "./ranges.ts";

/** So much is synced at a time while a file arrives; a power cut costs at most that. */
const syncEveryBytes = 64 << 20;
const syncEveryMs = 30_000;

/** What arrives before either is there is fetched again after a kill. */
const rememberedAfterBytes = 64 << 10;
const rememberedAfterMs = 250;

export interface OpenPart {
  path: string;
  checksums: Checksums;
  records: PartRecords;
  signal: AbortSignal;
}

export class Part {
  readonly #checksums: Checksums;
  readonly #file: PartFile;
  readonly #memory: PartMemory;
  #digester: Digester;
  #bytes: number;
  /** What is written and synced beside the receiving. */
  #beside: Promise<void> | undefined;
  #besideFailure: unknown;
  #syncedAt = Date.now();
  /** For a server that says nothing more. */
  readonly #timer = setTimeout(() => this.#secureNowAndThen(), rememberedAfterMs + 10).unref();

  private constructor(checksums: Checksums, file: PartFile, memory: PartMemory, digester: Digester, bytes: number) {
    this.#checksums = checksums;
    this.#file = file;
    this.#memory = memory;
    this.#digester = digester;
    this.#bytes = bytes;
  }

  /** Goes on with what an earlier attempt has left of the same content, or begins. Throws DOWNLOAD_WRITE_FAILED and such. */
  static async open(options: OpenPart): Promise<Part> {
    try {
      return (await reopen(options)) ?? (await begin(options));
    } catch (error) {
      options.signal.throwIfAborted();
      throw writeFailure(error);
    }

    async function reopen({ path, checksums, records, signal }: OpenPart): Promise<Part | undefined> {
      const record = await records.read(path);
      if (record === undefined) return undefined;
      const file = record.wanted === checksums.key ? await PartFile.reopen(path, certainBytes(record)) : undefined;
      // It must not be taken for one of the part that is made instead.
      if (file === undefined) return void (await records.removeForGood(path));
      try {
        const digester = checksums.digester();
        const bytes = await digestFile(file.handle, file.writtenBytes, digester, signal);
        return new Part(checksums, file, PartMemory.of(record, records), digester, bytes);
      } catch (error) {
        await file.close();
        throw error;
      }
    }

    async function begin({ path, checksums, records }: OpenPart): Promise<Part> {
      const memory = PartMemory.begin(path, checksums.key, records);
      return new Part(checksums, await PartFile.create(path), memory, checksums.digester(), 0);
    }
  }

  get path(): string {
    return this.#memory.record.partPath;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get version(): Version {
    return this.#memory.record.version;
  }

  /** Whether all of it has come from there. */
  isFrom(source: string): boolean {
    return this.#memory.record.source === source;
  }

  /** Whether nothing vouches for its pieces being of one and the same file. */
  get isMixed(): boolean {
    return this.#memory.record.isMixed === true;
  }

  /** Remembers where the bytes that follow come from. */
  async describe(source: string, version: Version, isMixed: boolean): Promise<void> {
    await this.#beside;
    await this.#writing(() => this.#memory.change({ source, version, ...(isMixed ? { isMixed: true } : {}) }));
  }

  /** Takes a chunk, which must not be used afterwards; resolves when there is room for another one. */
  async add(chunk: Buffer): Promise<void> {
    this.#digester.update(chunk);
    this.#bytes += chunk.length;
    await this.#file.add(chunk);
    this.#secureNowAndThen();
    if (this.#besideFailure !== undefined) throw writeFailure(this.#besideFailure);
  }

  /** All that was added is in the file. */
  settle(): Promise<void> {
    return this.#file.settle();
  }

  /** Nothing of it is of use. */
  async restart(): Promise<void> {
    await this.#beside;
    await this.#writing(async () => {
      if (this.#bytes === 0) return;
      await this.#memory.reset();
      await this.#file.empty();
    });
    this.#digester = this.#checksums.digester();
    this.#bytes = 0;
  }

  /** On disk; the digests end it, nothing can be added any more. */
  async finish(): Promise<Record<string, string>> {
    await this.#writing(async () => {
      await this.#file.settle();
      await this.#beside;
      if (this.#besideFailure !== undefined) throw this.#besideFailure;
      await this.#file.sync();
    });
    return this.#digester.digests();
  }

  /** The part becomes the file, with these rights (octal); resolves once the folder's entry is on disk, too. */
  async putInPlace(path: string, mode: string): Promise<void> {
    await this.#writing(async () => {
      await this.#file.setMode(Number.parseInt(mode, 8));
      await this.close();
      await rename(this.path, path);
      await syncFolder(dirname(path));
    });
    await this.#memory.forget();
  }

  /** For a later attempt, as long as parts are kept. */
  async keep(): Promise<void> {
    await this.close();
    await this.#writing(() => this.#memory.write({ state: "kept" }));
  }

  /** For the next life of the host. */
  async leave(): Promise<void> {
    await this.close();
    await this.#writing(() => this.#memory.write());
  }

  /** The part first: a record without a part does no harm. */
  async discard(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
    await this.#memory.forget();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#beside;
    await this.#file.close().catch(() => {});
  }

  async #writing(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      throw writeFailure(error);
    }
  }

  // Beside the receiving: the last sync, for which the run waits, is short then.
  #secureNowAndThen(): void {
    if (this.#beside !== undefined) return;
    const { writtenBytes } = this.#file;
    const { syncedBytes } = this.#memory.record;
    const ms = Date.now() - this.#syncedAt;
    const isDue = (bytes: number, most: number, mostMs: number) => bytes >= most || (bytes > 0 && ms >= mostMs);
    let work: () => Promise<void>;
    if (isDue(writtenBytes - syncedBytes, syncEveryBytes, syncEveryMs))
      work = async () => {
        await this.#file.sync();
        await this.#memory.save({ syncedBytes: writtenBytes });
        this.#syncedAt = Date.now();
      };
    else if (!this.#memory.isWritten && isDue(this.#bytes, rememberedAfterBytes, rememberedAfterMs))
      work = () => this.#memory.write();
    else return;
    this.#beside = work()
      .catch((error: unknown) => {
        this.#besideFailure = error;
      })
      .finally(() => {
        this.#beside = undefined;
      });
  }
}
