// What the host knows of one part: in memory at first, in a file once going on with the part would save something, and
// that file is synced once bytes of the part are. A small file is there before that, and costs no more than its own syncs.

import { readFileSync } from "node:fs";
import type { PartRecord, PartRecords } from "./part-records.ts";

export class PartMemory {
  readonly #records: PartRecords;
  #record: PartRecord;
  /** As text; undefined where there is no file. */
  #written: string | undefined;
  /** Whether a power cut leaves a file. */
  #isCertain: boolean;

  private constructor(records: PartRecords, record: PartRecord, written: string | undefined) {
    this.#records = records;
    this.#record = record;
    this.#written = written;
    this.#isCertain = written !== undefined;
  }

  static of(found: PartRecord, records: PartRecords): PartMemory {
    const receiving: PartRecord = { ...found, state: "receiving", bootId: bootId() };
    return new PartMemory(records, receiving, JSON.stringify(found));
  }

  static begin(partPath: string, wanted: string, records: PartRecords): PartMemory {
    const nothing = { version: {}, syncedBytes: 0, bootId: bootId(), state: "receiving" } as const;
    return new PartMemory(records, { partPath, wanted, ...nothing }, undefined);
  }

  get record(): Readonly<PartRecord> {
    return this.#record;
  }

  /** Whether a next life of the host will know of it. */
  get isWritten(): boolean {
    return this.#written !== undefined;
  }

  /** From now on it is so, also in the file where there is one. One call at a time, as all here. */
  async change(change: Partial<PartRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    if (this.isWritten) await this.write();
  }

  /** For the next life of the host; a power cut may take it back. */
  async write(change: Partial<PartRecord> = {}): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await this.#put((record) => (this.#isCertain ? this.#records.replace(record) : this.#records.jot(record)));
  }

  /** Whatever happens. */
  async save(change: Partial<PartRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await this.#put((record) => this.#records.write(record));
    this.#isCertain = true;
  }

  /** Nothing of what is there is to be gone on with, whatever happens. */
  async reset(): Promise<void> {
    const { partPath, wanted, bootId: boot, state } = this.#record;
    this.#record = { partPath, wanted, version: {}, syncedBytes: 0, bootId: boot, state };
    // Where it is not certain, a power cut leaves none of the bytes either.
    if (this.#isCertain) await this.save({});
    else if (this.isWritten) await this.write();
  }

  async forget(): Promise<void> {
    if (this.isWritten) await this.#records.remove(this.#record.partPath);
    this.#written = undefined;
  }

  async #put(put: (record: PartRecord) => Promise<void>): Promise<void> {
    const text = JSON.stringify(this.#record);
    if (text === this.#written) return;
    await put(this.#record);
    this.#written = text;
  }
}

/** How much of a part is certain: what a process has written outlives it, but not the kernel. */
export function certainBytes(record: PartRecord): number {
  return record.bootId === bootId() && bootId() !== "" ? Number.POSITIVE_INFINITY : record.syncedBytes;
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
