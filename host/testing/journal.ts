// The runs of a test's host, read beside it: also while it is not there.

import type { Failure } from "../errors.ts";
import { openStoreForReading } from "../store/open.ts";
import type { StoreReader } from "../store/store.ts";
import { type TestRun, testRunOf } from "./test-run.ts";

export class Journal implements Disposable {
  readonly #data: string;
  /** Runs that were handed to the test. */
  readonly #given = new Set<string>();
  #reader: StoreReader | undefined;

  constructor(data: string) {
    this.#data = data;
  }

  given(runId: string): void {
    this.#given.add(runId);
  }

  found(runId: string): TestRun | undefined {
    const runs = this.#runs();
    const run = runs?.get(runId);
    return run === undefined ? undefined : testRunOf(run, runs!);
  }

  /** Oldest first. */
  list(workflow?: string): TestRun[] {
    const runs = this.#runs();
    const found = runs?.list(workflow === undefined ? {} : { workflow }) ?? [];
    return found.reverse().map((run) => testRunOf(run, runs!));
  }

  /** A run that has ended. */
  ended(runId: string): TestRun | undefined {
    const run = this.#runs()?.get(runId);
    return run?.endedAt == null ? undefined : testRunOf(run, this.#runs()!);
  }

  /** The id of the oldest run that has ended and was not given. */
  nextEnded(workflow: string): string | undefined {
    const found = this.#runs()?.list({ workflow }) ?? [];
    return found.findLast(({ id, endedAt }) => endedAt !== null && !this.#given.has(id))?.id;
  }

  /** The id of the newest run, if it was not given. */
  newest(workflow: string): string | undefined {
    const newest = this.#runs()?.list({ workflow, limit: 1 })[0];
    return newest === undefined || this.#given.has(newest.id) ? undefined : newest.id;
  }

  [Symbol.dispose](): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  // A host that was killed may have been about to make it.
  #runs(): StoreReader["runs"] | undefined {
    try {
      this.#reader ??= openStoreForReading(this.#data);
      return this.#reader.runs;
    } catch (error) {
      if ((error as Partial<Failure>).code === "STORE_MISSING") return undefined;
      throw error;
    }
  }
}
