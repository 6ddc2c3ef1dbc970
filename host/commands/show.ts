// gantry show: one run, place by place, as its journal tells it.

import type { Workflow } from "../../schemas/workflow.types.ts";
import { formatDuration } from "../duration.ts";
import { compileProgram, type Node } from "../engine/program.ts";
import { GantryError } from "../errors.ts";
import { openStoreForReading } from "../store/open.ts";
import type { JournalRecord, Run } from "../store/store.ts";
import { plain } from "../terminal/plain.ts";
import { table } from "../terminal/table.ts";
import { asJson } from "./runs.ts";
import { type PlaceStory, storyOf } from "./story.ts";

export interface ShowOptions {
  data: string;
  json: boolean;
}

export function show(id: string, { data, json }: ShowOptions): number {
  const store = openStoreForReading(data);
  try {
    const run = findRun(id, (prefix) => store.runs.find(prefix, 2));
    const journal = store.runs.journal(run.id);
    if (json) process.stdout.write(`${JSON.stringify({ ...asJson(run), journal })}\n`);
    else print(run, journal, store.runs.documentText(run.document));
    return 0;
  } finally {
    store.close();
  }
}

function findRun(id: string, find: (prefix: string) => Run[]): Run {
  const [found, another] = find(id);
  if (found === undefined) throw new GantryError("RUN_UNKNOWN", `no run has an id that begins with ${id}`);
  if (another !== undefined && found.id !== id)
    throw new GantryError("RUN_UNKNOWN", `several runs have an id that begins with ${id}`);
  return found;
}

function print(run: Run, journal: JournalRecord[], documentText: string | undefined): void {
  const write = (text: string) => process.stdout.write(`${text}\n`);
  const time = (at: number) => new Date(at).toISOString().replace("T", " ").slice(0, 19);
  const took = run.endedAt === null ? "" : `, took ${formatDuration(run.endedAt - run.acceptedAt)}`;
  write(`run ${run.id} of ${run.workflow}: ${run.status}`);
  write(`accepted ${time(run.acceptedAt)}${took}${run.group === null ? "" : `, group ${plain(run.group)}`}\n`);
  const nameOf = documentText === undefined ? (path: string) => path : namesOf(documentText);
  const story = storyOf(journal);
  process.stdout.write(
    table(
      ["step", "status", "attempts", "took", ""],
      story.map((place) => cells(place, nameOf(place.path))),
    ),
  );
  if (run.error === null) return;
  const { message, code, remedy, step } = run.error;
  write(`\n${step === undefined ? "" : `${step}: `}${plain(message)} (${code})`);
  if (remedy !== undefined) write(remedy);
}

function cells({ status, attempts, beganAt, endedAt, error, resumed }: PlaceStory, name: string): string[] {
  const took = beganAt === undefined || endedAt === undefined ? "" : formatDuration(endedAt - beganAt);
  const remarks = [
    error === undefined ? "" : `${error.message} (${error.code})`,
    resumed ? "repeated after a stop" : "",
  ];
  return [
    name,
    status,
    attempts === 0 ? "" : String(attempts),
    took,
    remarks.filter((remark) => remark !== "").join("; "),
  ];
}

/** A journal's path in the words of the document: `artifact 2 › fetch (download/fetch)`. */
function namesOf(documentText: string): (path: string) => string {
  const program = compileProgram(JSON.parse(documentText) as Workflow);
  return (path) => {
    const words: string[] = [];
    const parts = path.split("/");
    let body: { steps: Node[]; onFailure: Node[]; finally: Node[] } = program;
    while (parts.length >= 2) {
      const [list, index] = parts.splice(0, 2) as [string, string];
      if (list === "items") {
        words.push(`item ${Number(index) + 1}`);
        continue;
      }
      const node = body[list as "steps"]?.[Number(index)];
      if (node === undefined) return path;
      words.push(`${list === "steps" ? "" : `${list}: `}${labelOf(node, index)}`);
      if (node.form !== "step") body = node;
    }
    return words.join(" › ");
  };
}

function labelOf(node: Node, index: string): string {
  const form = node.form === "step" ? node.uses : node.form === "loop" ? "forEach" : "block";
  return node.id === undefined
    ? node.form === "step"
      ? form
      : `${form} ${Number(index) + 1}`
    : `${node.id} (${form})`;
}
