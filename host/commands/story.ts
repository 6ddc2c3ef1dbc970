import type { Entry } from "../engine/records.ts";
import type { Failure } from "../errors.ts";
import type { JournalRecord } from "../store/store.ts";

/** What became of one place of a workflow, as the journal tells it. Times are epoch milliseconds. */
export interface PlaceStory {
  path: string;
  status: "running" | "waiting" | "succeeded" | "unchanged" | "failed" | "skipped";
  attempts: number;
  beganAt: number;
  endedAt: number | undefined;
  /** When something was under way there, and when it waited for a further attempt. */
  spans: { from: number; to: number | undefined; kind: "work" | "wait" }[];
  error: Failure | undefined;
  /** A host ended while it was at work, and another one repeated it. */
  resumed: boolean;
}

/** Every place of a run, in the order in which they began. Items and branches are places like others. */
export function storyOf(journal: JournalRecord[]): PlaceStory[] {
  const places = new Map<string, PlaceStory>();
  for (const { kind, path, data, at } of journal) {
    const entry = { kind, path, data } as Entry;
    if (path === "" || entry.kind === "aborting" || entry.kind === "failing") continue;
    // An item of a loop has no record of its beginning: that is what happens first inside it.
    for (const item of itemsAround(path)) if (!places.has(item)) places.set(item, begunPlace(item, at));
    const place = places.get(path) ?? newPlace(path, at);
    places.set(path, place);
    tell(place, entry, at);
  }
  return [...places.values()];
}

/** The items of loops that a place stands in, the outermost first. */
function itemsAround(path: string): string[] {
  return [...path.matchAll(/\/items\/\d+(?=\/)/g)].map(({ index, 0: item }) => path.slice(0, index + item.length));
}

function begunPlace(path: string, at: number): PlaceStory {
  const place = newPlace(path, at);
  begin(place, "work", at);
  return place;
}

function newPlace(path: string, at: number): PlaceStory {
  const nothing = { endedAt: undefined, error: undefined, resumed: false };
  return { path, status: "running", attempts: 0, beganAt: at, spans: [], ...nothing };
}

function tell(place: PlaceStory, entry: Entry, at: number): void {
  switch (entry.kind) {
    case "running":
      Object.assign(place, { status: "running", attempts: entry.data.attempt });
      begin(place, "work", at);
      return;
    case "entered":
    case "loop":
    case "called":
      begin(place, "work", at);
      return;
    case "waiting":
      place.status = "waiting";
      begin(place, "wait", at);
      return;
    case "resumed":
      place.resumed = true;
      return;
    case "retry":
      Object.assign(place, { status: "waiting", error: entry.data.error });
      begin(place, "wait", at);
      return;
    case "succeeded":
      end(place, entry.data.unchanged ? "unchanged" : "succeeded", at, undefined);
      return;
    case "failed":
      end(place, "failed", at, entry.data.error);
      return;
    case "skipped":
      end(place, "skipped", at, undefined);
      return;
  }
}

function begin(place: PlaceStory, kind: "work" | "wait", at: number): void {
  const last = place.spans.at(-1);
  if (last !== undefined) last.to ??= at;
  place.spans.push({ from: at, to: undefined, kind });
}

function end(place: PlaceStory, status: PlaceStory["status"], at: number, error: Failure | undefined): void {
  const last = place.spans.at(-1);
  if (last !== undefined) last.to ??= at;
  Object.assign(place, { status, endedAt: at, error });
}
