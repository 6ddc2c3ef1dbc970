// gantry retry: a run once more, with the same input and the document as it is now; watched as `gantry run` does.

import { createLog } from "../log.ts";
import { findStoredRun } from "./find-run.ts";
import { askHostOr } from "./reach-host.ts";
import { inForeground, type RunHereOptions, reportingTo } from "./run.ts";
import { runHere, runOfHost, watchRun } from "./watch-run.ts";

/** The beginning of the run's id is enough. */
export async function retry(idPrefix: string, options: RunHereOptions): Promise<number> {
  return reportingTo(createLog({ level: options.logLevel }), async () => {
    const { id } = findStoredRun(idPrefix, options.data);
    return askHostOr(
      options.data,
      (client) => watchRun(runOfHost(client, "runs.retry", { run: id }), options.json),
      () => inForeground(options, ({ engine }) => runHere(engine, () => engine.retry(id))),
    );
  });
}
