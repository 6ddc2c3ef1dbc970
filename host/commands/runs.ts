// gantry runs: the runs in a data folder, whether a host works on it or not.

import { formatDuration } from "../duration.ts";
import { openStoreForReading } from "../store/open.ts";
import type { Run, RunStatus } from "../store/store.ts";
import { table } from "../terminal/table.ts";

export interface RunsOptions {
  data: string;
  json: boolean;
  workflow?: string;
  status?: RunStatus[];
  limit: number;
}

export function runs({ data, json, workflow, status, limit }: RunsOptions): number {
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
    return 0;
  } finally {
    store.close();
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
