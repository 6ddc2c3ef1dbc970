// gantry cancel: ends a run, with its clean-up; without a host, as soon as one starts.

import { abortStoredRun, runCancelled } from "../engine/stored-abort.ts";
import { toFailure } from "../errors.ts";
import type { Run } from "../store/store.ts";
import { findStoredRun } from "./find-run.ts";
import { askHostOrStore } from "./reach-host.ts";

export interface CancelOptions {
  data: string;
  json: boolean;
}

type Cancelled = Pick<Run, "status" | "endedAt"> & { takesEffect: "now" | "at the next start" };

/** The beginning of the run's id is enough. */
export async function cancel(idPrefix: string, { data, json }: CancelOptions): Promise<number> {
  const { id, workflow } = findStoredRun(idPrefix, data);
  const { status, endedAt, takesEffect } = await askHostOrStore<Cancelled>(
    data,
    async (client) => ({ ...(await client.call<Run>("runs.cancel", { run: id })), takesEffect: "now" }),
    async ({ runs }) => {
      // It may have ended since it was looked up.
      const run = runs.get(id)!;
      await abortStoredRun(runs, run, toFailure(runCancelled()), Date.now());
      return { ...run, takesEffect: "at the next start" };
    },
  );
  if (json) process.stdout.write(`${JSON.stringify({ id, workflow, status, takesEffect })}\n`);
  else process.stdout.write(`run ${id} of ${workflow} ${inWords(endedAt !== null, takesEffect)}\n`);
  return 0;
}

function inWords(ended: boolean, takesEffect: Cancelled["takesEffect"]): string {
  if (ended) return "is cancelled";
  if (takesEffect === "now") return "is being cancelled, with its clean-up";
  return "will be cancelled, with its clean-up, when the host starts";
}
