// The parts of one host: opened for one download at a time, kept for a later attempt, and removed when nobody goes on.

import { readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "gantry";
import type { Checksums } from "./checksums.ts";
import { isPartOf, partPathOf } from "./destination.ts";
import { Part } from "./part.ts";
import { PartFolders } from "./part-folders.ts";
import { type PartRecord, PartRecords } from "./part-records.ts";
import { isNameable } from "./ranges.ts";

/** A run that a crash or stop has interrupted goes on as soon as the host does; one that does not was cancelled. */
const interruptedMs = 60_000;
const sweepEveryMs = 3_600_000;

export interface PartsOptions {
  /** The plugin's own. */
  directory: string;
  /** How long a part is kept for a later attempt. */
  keepMs: number;
  log: Log;
}

export class Parts {
  readonly #records: PartRecords;
  readonly #folders: PartFolders;
  readonly #keepMs: number;
  readonly #log: Log;
  readonly #open = new Set<string>();
  #sweeps: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  constructor({ directory, keepMs, log }: PartsOptions) {
    this.#records = new PartRecords(join(directory, "parts"));
    this.#folders = new PartFolders(join(directory, "parts", "folders"));
    this.#keepMs = keepMs;
    this.#log = log;
    this.#sweepIn(Math.min(keepMs, interruptedMs));
  }

  /**
   * The part for this path is the work's alone, which is not called for one path twice at a time. What becomes of it
   * when the work fails is for `fate` to say: kept for a later attempt, removed, or left as a crash would leave it.
   */
  async use<Value>(
    path: string,
    checksums: Checksums,
    signal: AbortSignal,
    work: (part: Part) => Promise<Value>,
    fate: (error: unknown) => "keep" | "discard" | "leave",
  ): Promise<Value> {
    const partPath = partPathOf(path, await this.#records.hostId());
    this.#open.add(partPath);
    try {
      // From here on a sweep leaves this part alone; one that has begun is over soon.
      await this.#sweeping;
      await this.#folders.note(dirname(partPath));
      const part = await Part.open({ path: partPath, checksums, records: this.#records, signal });
      try {
        return await work(part);
      } catch (error) {
        // What nothing vouches for cannot be gone on with.
        const isOfUse = part.bytes > 0 && (checksums.isStrong || isNameable(part.version));
        await this.#leave(part, isOfUse ? fate(error) : "discard");
        throw error;
      }
    } finally {
      this.#open.delete(partPath);
    }
  }

  stop(): void {
    clearTimeout(this.#sweeps);
  }

  // What goes wrong here does not hide why the download failed.
  async #leave(part: Part, fate: "keep" | "discard" | "leave"): Promise<void> {
    const actions = { keep: () => part.keep(), discard: () => part.discard(), leave: () => part.leave() };
    await actions[fate]().catch((error) => this.#log.warn(`${part.path} cannot be put away`, { err: error }));
  }

  #sweepIn(delayMs: number): void {
    this.#sweeps = setTimeout(() => {
      this.#sweeping = this.#sweep().catch((err) => this.#log.warn("parts cannot be looked through", { err }));
      void this.#sweeping.finally(() => this.#sweepIn(Math.min(this.#keepMs, sweepEveryMs)));
    }, delayMs).unref();
  }

  async #sweep(): Promise<void> {
    // Nobody else begins with a part until this is over.
    const open = new Set(this.#open);
    const kept = new Set<string>();
    for (const record of await this.#records.all()) {
      const { partPath } = record;
      if (open.has(partPath) || !(await this.#isAbandoned(record))) kept.add(partPath);
      else await this.#remove(partPath);
    }
    const lasting = new Set([...open].map(dirname));
    for (const path of await this.#found()) {
      if (!open.has(path) && !kept.has(path) && !(await this.#remove(path))) lasting.add(dirname(path));
    }
    await this.#folders.keepOnly((folder) => lasting.has(folder));
  }

  /** What is there, also what came to too little for a record. */
  async #found(): Promise<string[]> {
    const folders = await this.#folders.all();
    if (folders.length === 0) return [];
    const hostId = await this.#records.hostId();
    const found = folders.map(async (folder) => {
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => isPartOf(name, hostId)).map((name) => join(folder, name));
    });
    return (await Promise.all(found)).flat();
  }

  /** The part first: a record without a part does no harm. */
  async #remove(path: string): Promise<boolean> {
    try {
      await rm(path, { force: true });
      await this.#records.remove(path);
      this.#log.info(`${path} is removed: no download went on with it`);
      return true;
    } catch (error) {
      this.#log.warn(`${path} cannot be removed`, { err: error });
      return false;
    }
  }

  /** One that is being received by nobody is from an earlier life of this host. */
  async #isAbandoned({ state, partPath }: PartRecord): Promise<boolean> {
    if (state === "receiving") return true;
    const found = await stat(partPath).catch(() => undefined);
    return found === undefined || Date.now() - found.mtimeMs > this.#keepMs;
  }
}
