// What of the past is kept: ended runs go when there are too many of them or they are too old, and with them all that
// was theirs.

import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { largeFolder, runFolder } from "./data-directory.ts";
import type { Retention, RunSecrets, Swept } from "./store.ts";
import type { Writer } from "./writer.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
export const defaultRetention: Retention = { maxRuns: 10_000, maxAgeMs: 30 * DAY_MS };

/** Runs that go in one write: what comes meanwhile shares its commit and waits for no more than it takes. */
const BATCH = 64;

/** A sweep comes at the earliest after so many new runs. */
const SOON_RUNS = 1_000;

/** More than a broker has packet ids. */
const MAX_DELIVERIES = 100_000;

interface Surroundings {
  dataDirectory: string;
  writer: Writer<"host">;
  secrets: RunSecrets;
  /** Of which the text has not to be handed over again, as long as it is not removed. */
  committedDocuments: Set<string>;
}

export class Sweeper {
  limits = defaultRetention;
  readonly #surroundings: Surroundings;
  #accepted = 0;
  #underway: Promise<Swept> | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Counts a run that has been accepted: a burst of them is swept before the time for it has come. */
  noteAccepted(): void {
    if (++this.#accepted < Math.max(this.limits.maxRuns, SOON_RUNS)) return;
    this.sweep(Date.now()).catch(() => {});
  }

  /** Resolves once all is gone that had to go. A sweep that is under way is joined. */
  sweep(now: number): Promise<Swept> {
    this.#accepted = 0;
    this.#underway ??= this.#sweep(now).finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  async #sweep(now: number): Promise<Swept> {
    const { writer, committedDocuments } = this.#surroundings;
    const { maxRuns, maxAgeMs } = this.limits;
    let runs = 0;
    for (let full = true; full; ) {
      const removed = await writer.write("removeRuns", [now - maxAgeMs, maxRuns, BATCH]);
      runs += removed.length;
      full = removed.length === BATCH;
      await Promise.all(removed.map((runId) => this.#removeFiles(runId)));
    }
    if (runs > 0) {
      // Whatever is accepted from here on brings its documents along.
      committedDocuments.clear();
      await writer.write("removeDocuments", []);
    }
    await writer.write("removeDeliveries", [MAX_DELIVERIES]);
    return { runs };
  }

  async #removeFiles(runId: string): Promise<void> {
    const { dataDirectory, secrets } = this.#surroundings;
    const folders = [runFolder(dataDirectory, runId), join(largeFolder(dataDirectory), runId)].filter(existsSync);
    // What cannot be removed now is found again at a later start.
    await Promise.allSettled([
      ...folders.map((folder) => rm(folder, { recursive: true, force: true })),
      secrets.remove(runId),
    ]);
  }

  /** Removes the folders of runs that are gone: a crash may have come between. `isKnown` is asked of each. */
  async removeStrays(isKnown: (runId: string) => boolean): Promise<void> {
    const parent = dirname(runFolder(this.#surroundings.dataDirectory, "-"));
    const names = await readdir(parent).catch((): string[] => []);
    for (const name of names)
      if (RUN_ID.test(name) && !isKnown(name))
        await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** As the engine makes them; what somebody else has put there stays. */
const RUN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
