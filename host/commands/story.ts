import type { Entry } from "../engine/records.ts";
import type { Failure } from "../errors.ts";
import type { JournalRecord } from "../store/store.ts";

/** What became of one place of a workflow, as the journal tells it. */
export interface PlaceStory {
  path: string;
  status: "running" | "waiting" | "succeeded" | "unchanged" | "failed" | "skipped";
  attempts: number;
  beganAt: number | undefined;
  endedAt: number | undefined;
  error: Failure | undefined;
  /** A host ended while it was at work, and another one repeated it. */
  resumed: boolean;
}

/** Every step and loop of a run, in the order in which they began. */
export function storyOf(journal: JournalRecord[]): PlaceStory[] {
  const places = new Map<string, PlaceStory>();
  for (const { kind, path, data, at } of journal) {
    const entry = { kind, path, data } as Entry;
    if (path === "" || /\/items\/\d+$/.test(path)) continue;
    const place = places.get(path) ?? {
      path,
      status: "running",
      attempts: 0,
      beganAt: at,
      endedAt: undefined,
      error: undefined,
      resumed: false,
    };
    places.set(path, place);
    if (entry.kind === "running") Object.assign(place, { status: "running", attempts: entry.data.attempt });
    else if (entry.kind === "resumed") place.resumed = true;
    else if (entry.kind === "retry") Object.assign(place, { status: "waiting", error: entry.data.error });
    else if (entry.kind === "succeeded")
      Object.assign(place, { status: entry.data.unchanged ? "unchanged" : "succeeded", endedAt: at, error: undefined });
    else if (entry.kind === "failed") Object.assign(place, { status: "failed", endedAt: at, error: entry.data.error });
    else if (entry.kind === "skipped") Object.assign(place, { status: "skipped", endedAt: at });
  }
  return [...places.values()];
}
