import { GantryError } from "../errors.ts";
import { openStoreForReading } from "../store/open.ts";
import type { Run, RunsReading } from "../store/store.ts";

/** The run with this id, or the only one whose id begins so. Throws RUN_UNKNOWN. */
export function findRun(id: string, runs: Pick<RunsReading, "find">): Run {
  const [found, another] = runs.find(id, 2);
  if (found === undefined) throw new GantryError("RUN_UNKNOWN", `no run has an id that begins with ${id}`);
  if (another !== undefined && found.id !== id)
    throw new GantryError("RUN_UNKNOWN", `several runs have an id that begins with ${id}`);
  return found;
}

/** As above, in a data folder that a host may work with. */
export function findStoredRun(id: string, data: string): Run {
  const store = openStoreForReading(data);
  try {
    return findRun(id, store.runs);
  } finally {
    store.close();
  }
}
