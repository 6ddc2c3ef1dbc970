// gantry show: one run, place by place, as its journal tells it.

import { styleText } from "node:util";
import type { Workflow } from "../../schemas/workflow.types.ts";
import { formatDuration } from "../duration.ts";
import type { Failure } from "../errors.ts";
import { openStoreForReading } from "../store/open.ts";
import type { JournalRecord, Run, RunsReading } from "../store/store.ts";
import { plain } from "../terminal/plain.ts";
import { table } from "../terminal/table.ts";
import { findRun } from "./find-run.ts";
import { namesOf, type PlaceName } from "./place-names.ts";
import { asJson } from "./runs.ts";
import { type PlaceStory, storyOf } from "./story.ts";
import { type Axis, bar } from "./timeline.ts";

export interface ShowOptions {
  data: string;
  json: boolean;
  /** Every item of long loops, too. */
  all: boolean;
}

/** Of a loop with more items than this only those are shown that did not simply succeed. */
const shownItems = 20;

export function show(id: string, { data, json, all }: ShowOptions): number {
  const store = openStoreForReading(data);
  try {
    const run = findRun(id, store.runs);
    const journal = store.runs.journal(run.id);
    const story = storyOf(journal);
    if (json) process.stdout.write(`${JSON.stringify({ ...asJson(run), steps: story.map(asStep), journal })}\n`);
    else print(run, all ? { shown: story, hidden: 0 } : folded(story), namesIn(run, store.runs), abortOf(journal));
    return 0;
  } finally {
    store.close();
  }
}

function namesIn(run: Run, runs: RunsReading): (path: string) => PlaceName {
  const read = (hash: string) => JSON.parse(runs.documentText(hash) ?? "{}") as Workflow;
  const called = Object.entries(run.calls).map(([name, hash]) => [name, read(hash)] as const);
  return namesOf(read(run.document), new Map(called));
}

/** Why a run is to end before its time: somebody said so, and its clean-up is under way or comes at the next start. */
function abortOf(journal: JournalRecord[]): Failure | undefined {
  const abort = journal.find(({ kind, path }) => kind === "aborting" && path === "");
  return (abort?.data as { error: Failure } | undefined)?.error;
}

function print(
  run: Run,
  { shown, hidden }: ReturnType<typeof folded>,
  nameOf: (path: string) => PlaceName,
  abort: Failure | undefined,
): void {
  const write = (text: string) => process.stdout.write(`${text}\n`);
  const time = (at: number) => new Date(at).toISOString().replace("T", " ").slice(0, 19);
  const took = run.endedAt === null ? "" : `, took ${formatDuration(run.endedAt - run.acceptedAt)}`;
  write(`run ${run.id} of ${run.workflow}: ${run.status}`);
  const more = run.retryOf === null ? "" : `, repeats ${run.retryOf}`;
  write(`accepted ${time(run.acceptedAt)}${took}${run.group === null ? "" : `, group ${plain(run.group)}`}${more}\n`);
  process.stdout.write(timelineOf(run, shown, nameOf));
  if (hidden > 0) write(`${hidden} more that succeeded, in long loops (--all shows them)`);
  if (run.endedAt === null && abort !== undefined)
    write(`\nends as soon as a host has cleaned up after it: ${plain(`${abort.message} (${abort.code})`)}`);
  if (run.error === null) return;
  const { message, code, remedy, step, place } = run.error;
  write(`\n${step === undefined ? "" : `${step}: `}${plain(`${message} (${code})`)}`);
  if (place !== undefined) write(`at ${plain(place)}`);
  if (remedy !== undefined) write(plain(remedy));
}

/** A line for each place; on a terminal with bars as wide as that allows, and colours where they are wanted. */
function timelineOf(run: Run, shown: PlaceStory[], nameOf: (path: string) => PlaceName): string {
  const { isTTY, columns } = process.stdout;
  const rows = shown.map((place) => cells(place, nameOf(place.path)));
  const head = ["step", "status", "attempts", "took", ""];
  if (!isTTY) return table(head, rows);
  const axis = axisOf(run, shown, columns);
  for (const [index, place] of shown.entries()) rows[index]!.splice(4, 0, bar(place, axis));
  const paint = (text: string, row: number, column: number) =>
    column === 1 || column === 4 ? styleText(colours[shown[row]!.status], text, { stream: process.stdout }) : text;
  return table(head.toSpliced(4, 0, "timeline"), rows, { columns, paint });
}

const colours = {
  running: "blue",
  waiting: "yellow",
  succeeded: "green",
  unchanged: "green",
  failed: "red",
  skipped: "dim",
} as const;

/** From the first beginning to the end; a third of the terminal. */
function axisOf(run: Run, shown: PlaceStory[], columns: number): Axis {
  const from = shown.reduce((first, { beganAt }) => Math.min(first, beganAt), run.startedAt ?? run.acceptedAt);
  return { from, to: run.endedAt ?? Date.now(), width: Math.min(80, Math.max(10, Math.floor(columns / 3))) };
}

function folded(story: PlaceStory[]): { shown: PlaceStory[]; hidden: number } {
  const counts = new Map<string, number>();
  const loopOf = (path: string) => path.slice(0, Math.max(0, path.indexOf("/items/")));
  for (const { path } of story)
    if (/^.*?\/items\/\d+$/.test(path)) counts.set(loopOf(path), (counts.get(loopOf(path)) ?? 0) + 1);
  const isShown = ({ path, status }: PlaceStory) =>
    (counts.get(loopOf(path)) ?? 0) <= shownItems || !["succeeded", "unchanged"].includes(status);
  const shown = story.filter(isShown);
  return { shown, hidden: story.length - shown.length };
}

function cells(place: PlaceStory, { label, depth }: PlaceName): string[] {
  const { status, attempts, beganAt, endedAt, error, resumed, spans } = place;
  const took = endedAt === undefined || spans.length === 0 ? "" : formatDuration(endedAt - beganAt);
  // What has an inside fails with what failed there, where the whole message stands.
  const reason = error === undefined ? "" : attempts === 0 ? error.code : `${error.message} (${error.code})`;
  const remarks = [reason, resumed ? "repeated after a stop" : ""];
  return [
    "  ".repeat(depth) + label,
    status,
    attempts === 0 ? "" : String(attempts),
    took,
    remarks.filter((remark) => remark !== "").join("; "),
  ];
}

function asStep({ path, status, attempts, beganAt, endedAt, error, resumed }: PlaceStory): object {
  const time = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return { path, status, attempts, beganAt: time(beganAt), endedAt: time(endedAt), error: error ?? null, resumed };
}
