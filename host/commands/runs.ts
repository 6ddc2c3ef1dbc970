// gantry runs: the runs in a data folder, whether a host works on it or not.

import { setTimeout as sleep } from "node:timers/promises";
import { formatDuration } from "../duration.ts";
import { openStoreForReading } from "../store/open.ts";
import type { Run, RunStatus, StoreReader } from "../store/store.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { plain } from "../terminal/plain.ts";
import { table } from "../terminal/table.ts";
import { RunChanges } from "./run-changes.ts";

export interface RunsOptions {
  data: string;
  json: boolean;
  workflow?: string;
  status?: RunStatus[];
  limit: number;
  follow: boolean;
}

/** How often the folder is looked at: it is read and nothing is asked, so this works through restarts of the host. */
const lookEveryMs = 250;

export async function runs(options: RunsOptions): Promise<number> {
  const store = openStoreForReading(options.data);
  try {
    if (options.follow) return await follow(store, options);
    const found = store.runs.list(filterOf(options));
    if (options.json) for (const run of found) print(run);
    else process.stdout.write(found.length === 0 ? "no runs\n" : table(head, found.map(cells)));
    return 0;
  } finally {
    store.close();
  }
}

/** First the runs there are, oldest first; then each that begins or changes, until Ctrl-C, which is no failure. */
async function follow(store: StoreReader, options: RunsOptions): Promise<number> {
  using interrupt = watchInterrupt();
  const ended = new AbortController();
  void interrupt.told.then(() => ended.abort());
  const { status: wanted, ...filter } = filterOf(options);
  const changes = new RunChanges(store.runs, filter);
  let begun = false;
  while (!ended.signal.aborted) {
    const changed = changes.take().filter(({ status }) => wanted?.includes(status) ?? true);
    if (options.json) for (const run of changed) print(run);
    else if (!begun) process.stdout.write(table(head, changed.map(cells)));
    else for (const run of changed) process.stdout.write(`${cells(run).map(plain).join("  ").trimEnd()}\n`);
    begun = true;
    // Nobody reads any more: there is nothing left to do.
    if (process.stdout.destroyed) return 0;
    await sleep(lookEveryMs, undefined, { signal: ended.signal }).catch(() => {});
  }
  return 0;
}

function filterOf({ limit, workflow, status }: RunsOptions) {
  return {
    limit,
    ...(workflow === undefined ? {} : { workflow }),
    ...(status === undefined ? {} : { status }),
  };
}

/** A run for programs; times are ISO 8601. */
export function asJson({ acceptedAt, startedAt, endedAt, ...run }: Run) {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return { ...run, acceptedAt: time(acceptedAt), startedAt: time(startedAt), endedAt: time(endedAt) };
}

const print = (run: Run) => process.stdout.write(`${JSON.stringify(asJson(run))}\n`);

const head = ["run", "workflow", "status", "accepted", "took"];

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
