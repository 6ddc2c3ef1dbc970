import { mkdirSync } from "node:fs";
import type { Run } from "../store/store.ts";

/** `run` in expressions. */
export interface RunFacts {
  readonly id: string;
  readonly workflow: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The run that this one repeats. */
  readonly retryOf: string | null;
  /** Absolute; made when a document or a step first asks for it. */
  readonly directory: string;
}

export function runFacts(run: Run, directory: string): RunFacts {
  return {
    id: run.id,
    workflow: run.workflow,
    startedAt: new Date(run.startedAt ?? run.acceptedAt).toISOString(),
    retryOf: run.retryOf,
    get directory() {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return directory;
    },
  };
}
