// Keeps what steps return out of the journal, as if the power went in that very moment.

import type { Host } from "../host.ts";

/** Ends it: what was kept back is written after all. */
export type Release = () => void;

/**
 * From now on the result of such a step (`plugin/step`, or its id) is not written; `onWithheld` is called with its run.
 * The run stands still then, and the rest goes on.
 */
export function withholdResults({ engine, store }: Host, step: string, onWithheld: (runId: string) => void): Release {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const places = new Set<string>();
  const placeOf = (runId: string, path: string) => `${runId} ${path}`;
  // The engine tells of a step before it hands the record of it to the store.
  engine.on("step", ({ run, path, id, uses, status }) => {
    if (status !== "succeeded" && status !== "unchanged") return;
    if (step === uses || step === id) places.add(placeOf(run, path));
  });
  const { runs } = store;
  const append = runs.append.bind(runs);
  runs.append = async (runId, records, ...more) => {
    if (records.some(({ kind, path }) => kind === "succeeded" && places.has(placeOf(runId, path)))) {
      onWithheld(runId);
      await released;
    }
    return append(runId, records, ...more);
  };
  return release;
}
