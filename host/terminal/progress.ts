// Shows a person what the engine does while it does it: one line per step, and on a terminal a bar for the one at work.

import type { EventEmitter } from "node:events";
import { styleText } from "node:util";
import { formatDuration } from "../duration.ts";
import type { EngineEvents } from "../engine/events.ts";
import { plain } from "./plain.ts";

type StepEvent = EngineEvents["step"][0];

const marks = {
  running: ["…", "dim"],
  waiting: ["◷", "blue"],
  retrying: ["↻", "yellow"],
  succeeded: ["✓", "green"],
  unchanged: ["=", "green"],
  failed: ["✗", "red"],
  suspended: ["‖", "yellow"],
} as const;

/** Starts to show; returns its end. Without a terminal there are lines instead of bars, one for each quarter. */
export function showProgress(engine: EventEmitter<EngineEvents>, stream: NodeJS.WriteStream): () => void {
  const live = stream.isTTY === true;
  let bar = "";
  /** How far each step has said it is, where there is no bar. */
  const quarters = new Map<string, number>();
  const redraw = (line: string, nextBar: string) => {
    if (bar !== "") stream.write("\r\x1b[K");
    if (line !== "") stream.write(`${line}\n`);
    bar = nextBar;
    if (bar !== "") stream.write(bar);
  };

  const onStep = (event: StepEvent) => {
    if (event.status === "running" && !live) return;
    const line = event.status === "running" ? "" : stepLine(event, stream);
    redraw(line, live && event.status === "running" ? `  ${styleFor(stream, "dim", `… ${nameOf(event)}`)}` : "");
  };
  const onProgress = (event: EngineEvents["progress"][0]) => {
    const { percent = 0, message = "" } = event.progress;
    if (!live) {
      const quarter = Math.floor(percent / 25);
      if (quarter > (quarters.get(event.path) ?? 0)) stream.write(`  … ${nameOf(event)} ${quarter * 25} %\n`);
      quarters.set(event.path, quarter);
      return;
    }
    const full = Math.round((Math.min(100, Math.max(0, percent)) / 100) * 24);
    redraw(
      "",
      `  ${nameOf(event)} ${"█".repeat(full)}${"░".repeat(24 - full)} ${Math.round(percent)} % ${plain(message)}`,
    );
  };
  const onRun = ({ status }: EngineEvents["run"][0]) => {
    if (status === "queued")
      redraw(`  ${styleFor(stream, "blue", "◷")} queued: other runs of its concurrency group come first`, "");
  };
  engine.on("run", onRun);
  engine.on("step", onStep);
  engine.on("progress", onProgress);
  return () => {
    engine.off("run", onRun);
    engine.off("step", onStep);
    engine.off("progress", onProgress);
    redraw("", "");
  };
}

function stepLine(event: StepEvent, stream: NodeJS.WriteStream): string {
  const [mark, colour] = marks[event.status];
  const reason = event.error === undefined ? "" : ` ${plain(event.error.message)} (${event.error.code})`;
  const waits = event.waiting === undefined ? "" : ` ${inWords(event.waiting)}`;
  return `  ${styleFor(stream, colour, mark)} ${nameOf(event)}${waits}${reason}`;
}

function inWords({ until, signal, deadline }: NonNullable<StepEvent["waiting"]>): string {
  const left = (time: number) => formatDuration(Math.max(0, time - Date.now()));
  const what = until === undefined ? `for the signal ${plain(signal ?? "")}` : left(until);
  return `waits ${what}${deadline === undefined ? "" : `, at most ${left(deadline)}`}`;
}

function nameOf({ id, uses, path }: Pick<StepEvent, "id" | "uses" | "path">): string {
  const item = /\/items\/(\d+)\/(?!.*\/items\/)/.exec(path);
  const named = id === undefined ? uses : `${id} (${uses})`;
  // Why it is done at all, where that is not the workflow's usual course.
  const side = path.split("/").findLast((word) => word === "undo" || word === "onFailure" || word === "finally");
  const why = side === undefined ? "" : side === "undo" ? "undo of " : `${side}: `;
  return `${why}${named}${item === null ? "" : ` [${item[1]}]`}`;
}

function styleFor(
  stream: NodeJS.WriteStream,
  colour: "blue" | "dim" | "green" | "red" | "yellow",
  text: string,
): string {
  return styleText(colour, text, { stream });
}
