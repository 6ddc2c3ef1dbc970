import type { FileHandle } from "node:fs/promises";

/** So many files are synced and closed at a time, beside the writing of others. */
const maxPending = 16;

/** Syncs and closes files without a wait for each: many small ones then share the disk's commits. */
export class Syncs {
  readonly #pending = new Set<Promise<void>>();
  #failure: unknown;

  /** Takes over a file that is written; resolves when there is room for another one. Rejects as an earlier one failed. */
  async add(file: FileHandle): Promise<void> {
    const done: Promise<void> = file
      .sync()
      .finally(() => file.close())
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#pending.delete(done));
    this.#pending.add(done);
    while (this.#pending.size >= maxPending) await Promise.race(this.#pending);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when all are on disk. */
  async done(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#failure !== undefined) throw this.#failure;
  }
}
