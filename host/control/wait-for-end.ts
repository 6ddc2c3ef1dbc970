import type { EventEmitter } from "node:events";
import type { EngineEvents } from "../engine/events.ts";
import { GantryError } from "../errors.ts";
import type { Run, RunsReading } from "../store/store.ts";

/** Resolves with the run once it has ended; rejects with RUN_UNKNOWN, or with the reason of `gone`. */
export async function waitForEnd(
  runId: string,
  engine: EventEmitter<EngineEvents>,
  runs: RunsReading,
  gone: AbortSignal,
): Promise<Run> {
  const run = runs.get(runId);
  if (run === undefined) throw new GantryError("RUN_UNKNOWN", `no run ${runId}`);
  if (run.endedAt !== null) return run;
  return new Promise((resolve, reject) => {
    const end = () => {
      engine.off("run", onRun);
      gone.removeEventListener("abort", onGone);
    };
    const onRun = ({ id }: EngineEvents["run"][0]) => {
      const now = id === runId ? runs.get(runId) : undefined;
      if (now === undefined || now.endedAt === null) return;
      end();
      resolve(now);
    };
    const onGone = () => {
      end();
      reject(gone.reason as Error);
    };
    engine.on("run", onRun);
    gone.addEventListener("abort", onGone);
  });
}
