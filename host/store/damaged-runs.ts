// At a start: runs that have not ended and cannot be read whole. A host that went on with half of one would act on
// values that nobody has written, so each ends as failed.

import type { DatabaseSync } from "node:sqlite";
import { damageFailure, type Recovered } from "./damage.ts";
import { readValue } from "./large-values.ts";

interface UnfinishedRun {
  number: number;
  id: string;
  input: string;
  event: string;
  output: string;
  error: string;
  calls: string;
}

/** Returns what was said about them. */
export function endUnreadableRuns(database: DatabaseSync, dataDirectory: string): Recovered[] {
  const unfinished = database.prepare(
    "SELECT number, id, input, event, output, error, calls FROM runs WHERE ended_at IS NULL",
  );
  const journal = database.prepare("SELECT sequence, data FROM journal WHERE run_number = ?");
  const end = database.prepare(
    "UPDATE runs SET status = 'failed', ended_at = ?, output = 'null', error = ? WHERE id = ?",
  );
  const facts: Recovered[] = [];
  for (const run of unfinished.all() as unknown as UnfinishedRun[]) {
    const found = firstUnreadable(run);
    if (found === undefined) continue;
    const message = `run ${run.id} cannot go on: ${found}`;
    end.run(Date.now(), JSON.stringify(damageFailure(message)), run.id);
    facts.push({ code: "STORE_DAMAGED", message, what: `run ${run.id}`, found, setAside: null, copyFrom: null });
  }
  return facts;

  function firstUnreadable({ number, id, input, event, output, error, calls }: UnfinishedRun): string | undefined {
    const values = Object.entries({ input, event, output, error, calls });
    const records = (journal.all(number) as { sequence: number; data: string }[]).map(
      ({ sequence, data }): [string, string] => [`record ${sequence}`, data],
    );
    for (const [what, stored] of [...values, ...records]) {
      try {
        readValue(dataDirectory, id, stored);
      } catch (error) {
        return `${what}: ${(error as Error).message}`;
      }
    }
    return undefined;
  }
}
