// The beginning of a file that is not complete: its bytes, their digests, and what the host remembers of it.

import { readFileSync } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "gantry/toolkit/folders";
import type { Checksums, Digester } from "./checksums.ts";
import { writeFailure } from "./failures.ts";
import { digestFile } from "./file-digests.ts";
import { PartFile } from "./part-file.ts";
import type { PartRecord, PartRecords } from "./part-records.ts";
import type { Version } from "./ranges.ts";

/** So much is synced at a time while a file arrives; a power cut costs at most that. */
const syncEveryBytes = 64 << 20;
const syncEveryMs = 30_000;

export interface OpenPart {
  path: string;
  checksums: Checksums;
  records: PartRecords;
  signal: AbortSignal;
}

export class Part {
  readonly #records: PartRecords;
  readonly #checksums: Checksums;
  readonly #file: PartFile;
  #record: PartRecord;
  #digester: Digester;
  #bytes: number;
  #syncing: Promise<void> | undefined;
  #syncedAt = Date.now();
  #syncFailure: unknown;

  private constructor(
    { records, checksums }: OpenPart,
    file: PartFile,
    record: PartRecord,
    digester: Digester,
    bytes: number,
  ) {
    this.#records = records;
    this.#checksums = checksums;
    this.#file = file;
    this.#record = record;
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
      if (record === undefined || record.wanted !== checksums.key) return undefined;
      // What a process has written outlives it, but not the kernel.
      const certain = record.bootId === bootId() && bootId() !== "" ? Number.POSITIVE_INFINITY : record.syncedBytes;
      const file = await PartFile.reopen(path, certain);
      if (file === undefined) return undefined;
      try {
        const digester = checksums.digester();
        const bytes = await digestFile(file.handle, file.writtenBytes, digester, signal);
        const receiving: PartRecord = { ...record, state: "receiving", bootId: bootId() };
        await records.write(receiving);
        return new Part(options, file, receiving, digester, bytes);
      } catch (error) {
        await file.close();
        throw error;
      }
    }

    async function begin({ path, checksums, records }: OpenPart): Promise<Part> {
      const record: PartRecord = {
        partPath: path,
        wanted: checksums.key,
        version: {},
        syncedBytes: 0,
        bootId: bootId(),
        state: "receiving",
      };
      await records.write(record);
      return new Part(options, await PartFile.create(path), record, checksums.digester(), 0);
    }
  }

  get path(): string {
    return this.#record.partPath;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get version(): Version {
    return this.#record.version;
  }

  /** Whether all of it has come from there. */
  isFrom(source: string): boolean {
    return this.#record.source === source;
  }

  /** Whether nothing vouches for its pieces being of one and the same file. */
  get isMixed(): boolean {
    return this.#record.isMixed === true;
  }

  /** Remembers where the bytes that follow come from. */
  async describe(source: string, version: Version, isMixed: boolean): Promise<void> {
    const described: PartRecord = { ...this.#record, source, version, ...(isMixed ? { isMixed: true } : {}) };
    const isNews = JSON.stringify(described) !== JSON.stringify(this.#record);
    this.#record = described;
    if (isNews) await this.#write();
  }

  /** Takes a chunk, which must not be used afterwards; resolves when there is room for another one. */
  async add(chunk: Buffer): Promise<void> {
    this.#digester.update(chunk);
    this.#bytes += chunk.length;
    await this.#file.add(chunk);
    this.#syncNowAndThen();
    if (this.#syncFailure !== undefined) throw writeFailure(this.#syncFailure);
  }

  /** All that was added is in the file. */
  settle(): Promise<void> {
    return this.#file.settle();
  }

  /** Nothing of it is of use. */
  async restart(): Promise<void> {
    await this.#syncing;
    const { partPath, wanted, bootId: boot, state } = this.#record;
    this.#record = { partPath, wanted, version: {}, syncedBytes: 0, bootId: boot, state };
    try {
      if (this.#bytes > 0) {
        await this.#records.write(this.#record);
        await this.#file.empty();
      }
    } catch (error) {
      throw writeFailure(error);
    }
    this.#digester = this.#checksums.digester();
    this.#bytes = 0;
  }

  /** On disk; the digests end it, nothing can be added any more. */
  async finish(): Promise<Record<string, string>> {
    try {
      await this.#file.settle();
      await this.#syncing;
      if (this.#syncFailure !== undefined) throw this.#syncFailure;
      await this.#file.sync();
    } catch (error) {
      throw writeFailure(error);
    }
    return this.#digester.digests();
  }

  /** The part becomes the file, with these rights (octal); resolves once the folder's entry is on disk, too. */
  async putInPlace(path: string, mode: string): Promise<void> {
    await this.close();
    try {
      await chmod(this.#record.partPath, Number.parseInt(mode, 8));
      await rename(this.#record.partPath, path);
      await syncFolder(dirname(path));
    } catch (error) {
      throw writeFailure(error);
    }
    await this.#records.remove(this.#record.partPath);
  }

  /** For a later attempt. */
  async keep(): Promise<void> {
    await this.close();
    this.#record.state = "kept";
    await this.#write();
  }

  async discard(): Promise<void> {
    await this.close();
    await discardPart(this.#record.partPath, this.#records);
  }

  async close(): Promise<void> {
    await this.#syncing;
    await this.#file.close().catch(() => {});
  }

  async #write(): Promise<void> {
    try {
      await this.#records.write(this.#record);
    } catch (error) {
      throw writeFailure(error);
    }
  }

  // Beside the receiving: the last sync, for which the run waits, is short then.
  #syncNowAndThen(): void {
    const bytes = this.#file.writtenBytes - this.#record.syncedBytes;
    const isDue = bytes >= syncEveryBytes || (bytes > 0 && Date.now() - this.#syncedAt >= syncEveryMs);
    if (this.#syncing !== undefined || !isDue) return;
    const syncedBytes = this.#file.writtenBytes;
    this.#syncing = this.#file
      .sync()
      .then(() => {
        this.#record.syncedBytes = syncedBytes;
        return this.#records.write(this.#record);
      })
      .catch((error: unknown) => {
        this.#syncFailure = error;
      })
      .finally(() => {
        this.#syncedAt = Date.now();
        this.#syncing = undefined;
      });
  }
}

/** The part first: a record without a part does no harm. */
export async function discardPart(partPath: string, records: PartRecords): Promise<void> {
  await rm(partPath, { force: true });
  await records.remove(partPath);
}

let cachedBootId: string | undefined;

function bootId(): string {
  try {
    cachedBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    cachedBootId = "";
  }
  return cachedBootId;
}
