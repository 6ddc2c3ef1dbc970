import { randomUUIDv7 } from "node:crypto";
import type { Json, JsonObject } from "../sdk.ts";
import type { Run } from "../store/store.ts";
import type { LoadedWorkflow } from "./workflow.ts";

export function newRun(
  workflow: LoadedWorkflow,
  input: Json,
  event: JsonObject,
  group: string | null,
  { retryOf = null, answer = null }: Partial<Pick<Run, "retryOf" | "answer">>,
  acceptedAt: number,
): Run {
  return {
    id: randomUUIDv7(),
    workflow: workflow.name,
    document: workflow.hash,
    calls: Object.fromEntries([...workflow.calls].map(([name, { hash }]) => [name, hash])),
    retryOf,
    answer,
    status: "queued",
    group,
    acceptedAt,
    startedAt: null,
    endedAt: null,
    input,
    event,
    output: null,
    error: null,
  };
}

/** The texts a run keeps: of its document and of all it calls, by hash. */
export function documentsOf(workflow: LoadedWorkflow): Map<string, string> {
  const texts = new Map([[workflow.hash, workflow.text]]);
  for (const { hash, text } of workflow.calls.values()) texts.set(hash, text);
  return texts;
}
