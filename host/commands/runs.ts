// gantry runs: the runs in a data folder, whether a host works on it or not.

import { setTimeout as sleep } from "node:timers/promises";
import { formatDuration } from "../duration.ts";
import { openStoreForReading } from "../store/open.ts";
import type { Run, RunFilter, RunStatus, StoreReader } from "../store/store.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { plain } from "../terminal/plain.ts";
import { table } from "../terminal/table.ts";

export interface RunsOptions {
  data: string;
  json: boolean;
  workflow?: string;
  status?: RunStatus[];
  limit: number;
  /** Goes on with a line for each run that begins or changes, until it is interrupted. */
  follow: boolean;
}

/** How often a followed data folder is looked into. */
const lookEveryMs = 250;

export async function runs({ data, json, workflow, status, limit, follow }: RunsOptions): Promise<number> {
  const store = openStoreForReading(data);
  try {
    const filter = {
      limit,
      ...(workflow === undefined ? {} : { workflow }),
      ...(status === undefined ? {} : { status }),
    };
    const found = store.runs.list(filter);
    if (json) for (const run of found) process.stdout.write(`${JSON.stringify(asJson(run))}\n`);
    else
      process.stdout.write(
        found.length === 0 ? "no runs\n" : table(["run", "workflow", "status", "accepted", "took"], found.map(cells)),
      );
    if (follow) await followRuns(store, filter, json);
    return 0;
  } finally {
    store.close();
  }
}

/** What a host writes is seen here, whether or not it is the one that was there at first. */
async function followRuns(store: StoreReader, filter: RunFilter, json: boolean): Promise<void> {
  using interrupt = watchInterrupt();
  let isOver = false;
  void interrupt.told.then(() => {
    isOver = true;
  });
  const known = new Map(store.runs.list(filter).map(({ id, status }) => [id, status]));
  while (!isOver) {
    for (const run of store.runs.list(filter).reverse()) {
      if (known.get(run.id) === run.status) continue;
      known.set(run.id, run.status);
      process.stdout.write(
        json ? `${JSON.stringify(asJson(run))}\n` : `${cells(run).map(plain).join("  ").trimEnd()}\n`,
      );
    }
    await Promise.race([sleep(lookEveryMs), interrupt.told]);
  }
}

/** A run for programs; times are ISO 8601. */
export function asJson({ acceptedAt, startedAt, endedAt, ...run }: Run) {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return { ...run, acceptedAt: time(acceptedAt), startedAt: time(startedAt), endedAt: time(endedAt) };
}

function cells({ id, workflow, status, acceptedAt, endedAt, error }: Run): string[] {
  const took = endedAt === null ? "" : formatDuration(endedAt - acceptedAt);
  return [
    id,
    workflow,
    error === null ? status : `${status} (${error.code})`,
    new Date(acceptedAt).toISOString().slice(0, 19),
    took,
  ];
}
