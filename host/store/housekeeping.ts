// What the store does by itself while the host runs: the last good copies, and the sweeps.

import { existsSync, statSync } from "node:fs";
import { isCopyOlder } from "./good-copy.ts";
import type { Sweeper } from "./retention.ts";
import type { StoreFigures } from "./store.ts";

const MINUTE_MS = 60_000;
const USUAL_BYTES = 16 * 1024 * 1024;

export interface HousekeepingOptions {
  /**
   * At most so often a copy is made of a file that has changed; default 15 minutes. A file above 16 MiB is copied the
   * less often the larger it is: what is written for it stays the same.
   */
  copyEveryMs?: number;
  /** Default ten minutes. */
  sweepEveryMs?: number;
}

/** A database as the housekeeping sees it. */
export interface KeptFile {
  readonly path: string;
  readonly writer: { readonly figures: Readonly<StoreFigures> };
}

interface Copied {
  at: number;
  commits: number;
}

export class Housekeeping {
  readonly #files: () => Iterable<KeptFile>;
  readonly #copy: (path: string) => Promise<boolean>;
  readonly #sweeper: Sweeper;
  readonly #copyEveryMs: number;
  readonly #sweepEveryMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #copied = new Map<KeptFile, Copied>();
  #sweptAt = Date.now();
  #underway: Promise<void> | undefined;

  constructor(
    files: () => Iterable<KeptFile>,
    copy: (path: string) => Promise<boolean>,
    sweeper: Sweeper,
    { copyEveryMs = 15 * MINUTE_MS, sweepEveryMs = 10 * MINUTE_MS }: HousekeepingOptions,
  ) {
    this.#files = files;
    this.#copy = copy;
    this.#sweeper = sweeper;
    this.#copyEveryMs = copyEveryMs;
    this.#sweepEveryMs = sweepEveryMs;
    const look = () => {
      this.#underway ??= this.#look(performance.now()).finally(() => {
        this.#underway = undefined;
      });
    };
    this.#timer = setInterval(look, Math.min(MINUTE_MS, copyEveryMs, sweepEveryMs)).unref();
  }

  /** Whether a file has changed since its last copy. */
  hasChanged(file: KeptFile): boolean {
    const { commits } = file.writer.figures;
    const last = this.#copied.get(file);
    return last === undefined ? commits > 0 || isCopyOlder(file.path) : commits > last.commits;
  }

  /** Resolves once nothing is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underway;
  }

  async #look(now: number): Promise<void> {
    for (const file of this.#files()) if (this.#isDue(file, now)) await this.#copyNow(file, now);
    if (Date.now() - this.#sweptAt < this.#sweepEveryMs && Date.now() >= this.#sweptAt) return;
    this.#sweptAt = Date.now();
    // A disk that refuses is told by the writes that matter.
    await this.#sweeper.sweep(this.#sweptAt).catch(() => {});
  }

  /** A busy file is copied later, but not for ever. */
  #isDue(file: KeptFile, now: number): boolean {
    const last = this.#copied.get(file);
    if (last === undefined) {
      this.#copied.set(file, { at: now, commits: isCopyOlder(file.path) ? -1 : 0 });
      return false;
    }
    const { bytesInFlight } = file.writer.figures;
    const size = existsSync(file.path) ? statSync(file.path).size : 0;
    const patience = Math.max(1, size / USUAL_BYTES) * (bytesInFlight > 0 ? 2 : 1);
    return this.hasChanged(file) && now - last.at >= this.#copyEveryMs * patience;
  }

  async #copyNow(file: KeptFile, now: number): Promise<void> {
    const { commits } = file.writer.figures;
    const copied = await this.#copy(file.path);
    this.#copied.set(file, { at: now, commits: copied ? commits : (this.#copied.get(file)?.commits ?? 0) });
  }
}
