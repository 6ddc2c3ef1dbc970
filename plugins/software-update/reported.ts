// What has been reported of the modules of each run: for the progress, which must not go back, also after a crash, and
// for the question which of them have not come to an end.

import type { JsonObject, KeyValue } from "gantry";
import { Turns } from "./turns.ts";

export interface Last {
  status: string;
  progress: number;
  /** What else it said; known in the life of the host that said it. */
  words?: string;
  /** When, by the clock of this life; only of one on the way. */
  at?: number;
}

/** The modules of so many runs are remembered; more than can be under way at once. */
const maxRuns = 300;

const listKey = "runs";

export class Reported {
  readonly #keyValue: KeyValue;
  readonly #turns = new Turns();
  /** By run, in the order of their first report; undefined: in the store only. */
  #runs: Map<string, Map<string, Last> | undefined> | undefined;

  constructor(keyValue: KeyValue) {
    this.#keyValue = keyValue;
  }

  async last(runId: string, module: number): Promise<Last | undefined> {
    return (await this.#modulesOf(runId)).get(String(module));
  }

  async isFinished(runId: string, module: number): Promise<boolean> {
    return (await this.last(runId, module))?.status.startsWith("FINISHED_") ?? false;
  }

  /** Resolves once it is durable. */
  async note(runId: string, module: number, last: Last): Promise<void> {
    const modules = await this.#modulesOf(runId);
    modules.set(String(module), last);
    const kept = Object.fromEntries([...modules].map(([index, { status, progress }]) => [index, { status, progress }]));
    await this.#keyValue.set(keyOf(runId), kept as unknown as JsonObject);
  }

  async #modulesOf(runId: string): Promise<Map<string, Last>> {
    return this.#turns.take(async () => {
      this.#runs ??= new Map((((await this.#keyValue.get(listKey)) ?? []) as string[]).map((id) => [id, undefined]));
      const known = this.#runs.get(runId);
      if (known !== undefined) return known;
      const kept = ((await this.#keyValue.get(keyOf(runId))) ?? {}) as unknown as Record<string, Last>;
      const modules = new Map(Object.entries(kept));
      const isNew = !this.#runs.has(runId);
      this.#runs.set(runId, modules);
      if (isNew) await this.#keepList(this.#runs);
      return modules;
    });
  }

  async #keepList(runs: Map<string, unknown>): Promise<void> {
    const dropped = [...runs.keys()].slice(0, Math.max(0, runs.size - maxRuns));
    for (const id of dropped) runs.delete(id);
    await Promise.all([
      this.#keyValue.set(listKey, [...runs.keys()]),
      ...dropped.map((id) => this.#keyValue.delete(keyOf(id))),
    ]);
  }
}

const keyOf = (runId: string) => `reported/${runId}`;
