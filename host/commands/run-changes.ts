import type { Run, RunsReading } from "../store/store.ts";

/** Tells which runs have begun or changed since it was asked last. */
export class RunChanges {
  readonly #runs: Pick<RunsReading, "get" | "list">;
  readonly #filter: { workflow?: string; limit: number };
  /** The status told last, of those that have not ended. */
  readonly #open = new Map<string, Run["status"]>();
  /** The newest run told; undefined before the first question. */
  #newest: string | undefined;
  #asked = false;

  /** `filter.limit` bounds the first answer only. */
  constructor(runs: Pick<RunsReading, "get" | "list">, filter: { workflow?: string; limit: number }) {
    this.#runs = runs;
    this.#filter = filter;
  }

  /** Those told before first, then the new ones, oldest first. */
  take(): Run[] {
    const changed: Run[] = [];
    for (const [id, status] of this.#open) {
      const run = this.#runs.get(id);
      if (run === undefined) this.#open.delete(id);
      else if (run.status !== status) changed.push(run);
    }
    const begun = this.#asked ? this.#newer() : this.#runs.list(this.#filter);
    this.#asked = true;
    this.#newest = begun[0]?.id ?? this.#newest;
    changed.push(...begun.reverse());
    for (const { id, status, endedAt } of changed) {
      if (endedAt === null) this.#open.set(id, status);
      else this.#open.delete(id);
    }
    return changed;
  }

  /** Newest first. More is asked for until one that is known is among them. */
  #newer(): Run[] {
    for (let limit = 16; ; limit *= 4) {
      const found = this.#runs.list({ ...this.#filter, limit });
      const known = found.findIndex(({ id }) => id === this.#newest);
      if (known !== -1) return found.slice(0, known);
      if (found.length < limit) return found;
    }
  }
}
