import { type Failure, GantryError } from "../errors.ts";
import type { Run, Runs } from "../store/store.ts";
import { nextRecord } from "./records.ts";

/** What ends a run that somebody cancels. */
export const runCancelled = () => new GantryError("RUN_CANCELLED", "the run was cancelled");

/**
 * Has a run that no host carries out end at the next start, with its clean-up; resolves once that is durable. A run that
 * is to end already stays as it is. `at` is now (epoch milliseconds). Rejects with RUN_ENDED.
 */
export async function abortStoredRun(
  runs: Runs,
  { id, status, endedAt }: Run,
  error: Failure,
  at: number,
): Promise<void> {
  if (endedAt !== null) throw new GantryError("RUN_ENDED", `run ${id} has ended already: ${status}`);
  const journal = runs.journal(id);
  if (journal.some(({ kind, path }) => kind === "aborting" && path === "")) return;
  await runs.append(id, [nextRecord(journal, { kind: "aborting", path: "", data: { error } }, at)]);
}
