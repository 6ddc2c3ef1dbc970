// What the host knows of one part: in memory at first, and on disk from when going on with the part would save something.
// A small file is there before that, and costs no more than its own syncs.

import { readFileSync } from "node:fs";
import type { PartRecord, PartRecords } from "./part-records.ts";

export class PartMemory {
  readonly #records: PartRecords;
  #record: PartRecord;
  /** As text; undefined where there is none. */
  #onDisk: string | undefined;

  private constructor(records: PartRecords, record: PartRecord, onDisk: string | undefined) {
    this.#records = records;
    this.#record = record;
    this.#onDisk = onDisk;
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

  get isOnDisk(): boolean {
    return this.#onDisk !== undefined;
  }

  /** From now on it is so; where it is on disk, a power cut may take that back. One call at a time, as all here. */
  async change(change: Partial<PartRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    if (this.#onDisk !== undefined) await this.#write(() => this.#records.replace(this.#record));
  }

  /** On disk for certain. */
  async save(change: Partial<PartRecord> = {}): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await this.#write(() => this.#records.write(this.#record));
  }

  /** Nothing is known of what is there, also after a power cut. */
  async reset(): Promise<void> {
    const { partPath, wanted, bootId: boot, state } = this.#record;
    this.#record = { partPath, wanted, version: {}, syncedBytes: 0, bootId: boot, state };
    if (this.#onDisk !== undefined) await this.#write(() => this.#records.write(this.#record));
  }

  async forget(): Promise<void> {
    if (this.#onDisk !== undefined) await this.#records.remove(this.#record.partPath);
    this.#onDisk = undefined;
  }

  async #write(write: () => Promise<void>): Promise<void> {
    const text = JSON.stringify(this.#record);
    if (text === this.#onDisk) return;
    await write();
    this.#onDisk = text;
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
