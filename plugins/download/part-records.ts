// What this host knows of the parts it has begun, in a folder of the plugin's own: one small file for each that is worth
// going on with.

import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "gantry/toolkit/folders";
import { writeFailure } from "./failures.ts";
import type { Version } from "./ranges.ts";

export interface PartRecord {
  /** Absolute. */
  partPath: string;
  /** Says which content is wanted: a digest of the checksums. */
  wanted: string;
  /** A digest of the address it came from so far; the address itself may hold a password. */
  source?: string;
  version: Version;
  /** Pieces were put together that no validator holds together. */
  isMixed?: true;
  /** So many bytes are certain to be on disk, whatever happens. */
  syncedBytes: number;
  /** The kernel that has seen the other bytes. */
  bootId: string;
  /** `receiving`: in the middle of it, or interrupted; `kept`: for a later attempt. */
  state: "receiving" | "kept";
}

export class PartRecords {
  readonly #directory: string;
  #hostId: Promise<string> | undefined;

  /** The folder is made with the first record. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Tells parts of this host from those of another one that writes into the same folder. Rejects with DOWNLOAD_DISK_FULL and such. */
  hostId(): Promise<string> {
    this.#hostId ??= this.#readHostId().catch((error) => {
      // There may be room for it the next time.
      this.#hostId = undefined;
      throw writeFailure(error);
    });
    return this.#hostId;
  }

  async read(partPath: string): Promise<PartRecord | undefined> {
    return readRecord(this.#fileOf(partPath));
  }

  /** Synced when this resolves. */
  async write(record: PartRecord): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await this.replace(record);
    await syncFolder(this.#directory);
  }

  /** Of one that was written before; after a power cut that may be what is found. */
  async replace(record: PartRecord): Promise<void> {
    const file = this.#fileOf(record.partPath);
    await writeSynced(`${file}.new`, JSON.stringify(record));
    await rename(`${file}.new`, file);
  }

  /** Outlives this process; after a power cut there may be none. */
  async jot(record: PartRecord): Promise<void> {
    const file = this.#fileOf(record.partPath);
    await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  async remove(partPath: string): Promise<void> {
    await rm(this.#fileOf(partPath), { force: true });
  }

  /** A power cut does not bring it back. */
  async removeForGood(partPath: string): Promise<void> {
    await this.remove(partPath);
    await syncFolder(this.#directory);
  }

  async all(): Promise<PartRecord[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const files = names.filter((name) => name.endsWith(".json")).map((name) => join(this.#directory, name));
    const records = await Promise.all(files.map(readRecord));
    return records.filter((record) => record !== undefined);
  }

  #fileOf(partPath: string): string {
    return join(this.#directory, `${createHash("sha256").update(partPath).digest("hex").slice(0, 32)}.json`);
  }

  async #readHostId(): Promise<string> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = join(this.#directory, "host-id");
    const known = await readFile(file, "utf8").catch(() => undefined);
    if (known !== undefined) return known;
    const made = randomBytes(4).toString("hex");
    const draft = `${file}.${made}`;
    await writeSynced(draft, made);
    // Whoever comes first gives the name; it is complete from its beginning on.
    await link(draft, file)
      .catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      })
      .finally(() => rm(draft));
    await syncFolder(this.#directory);
    return readFile(file, "utf8");
  }
}

async function readRecord(file: string): Promise<PartRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as PartRecord;
  } catch {
    return undefined;
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  await file
    .writeFile(text)
    .then(() => file.sync())
    .finally(() => file.close());
}
