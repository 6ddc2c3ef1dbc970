// What `gantry dev` tells, for a person or as one JSON object a line.

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { styleText } from "node:util";
import { faultAsJson, formatFault } from "../documents/fault-text.ts";
import type { Failure } from "../errors.ts";
import { plain } from "../terminal/plain.ts";
import type { DevEvent } from "./events.ts";

type Tell = (event: DevEvent) => void;

export function developmentEvents(stream: NodeJS.WriteStream, json: boolean): Tell {
  if (json) return (event) => void stream.write(`${asJson(event)}\n`);
  return (event) => {
    const text = inWords(event, stream);
    if (text !== undefined) stream.write(`${text}\n`);
  };
}

function asJson(event: DevEvent): string {
  if (event.event !== "fault") return JSON.stringify(event);
  return JSON.stringify({ event: "fault", ...(JSON.parse(faultAsJson(event.fault)) as object) });
}

function inWords(event: DevEvent, stream: NodeJS.WriteStream): string | undefined {
  const paint = (style: "bold" | "dim" | "green" | "red" | "yellow", text: string) =>
    styleText(style, plain(text), { stream });
  switch (event.event) {
    case "ready":
      return paint("dim", "the host serves; Ctrl-C ends it");
    case "watching":
      return paint("dim", `watching ${[...event.folders, ...event.files].map(fromHere).join(", ")}`);
    case "changed":
      return paint("bold", `changed: ${event.files.map(fromHere).join(", ")}`);
    case "fault":
      return formatFault({ ...event.fault, file: fromHere(event.fault.file) }, textOf(event.fault.file), {
        colour: stream.hasColors?.() === true,
      });
    case "failed":
      return failureLines(`${event.plugin === undefined ? "" : `${event.plugin}: `}`, event, stream);
    case "kept":
      return paint("yellow", `  not taken: ${event.what} stays as it was`);
    case "replacing":
      return undefined;
    case "replaced":
      return `${paint("green", "✓")} ${paint("bold", event.plugin)} ${plain(event.version)} is replaced${begunAgain(event.begunAgain)}`;
    case "restarting":
      return paint("dim", "the host starts again with the new configuration");
    case "workflows":
      return `${paint("green", "✓")} workflows: ${plain(event.active.join(", ")) || "none"}`;
    case "again":
      return `  ${plain(event.uses)} again with ${shortened(JSON.stringify(event.input))}`;
    case "ended":
      if (event.status === "failed") return failureLines(`${event.uses}: `, event.error, stream);
      return `  ${paint("green", event.status === "unchanged" ? "=" : "✓")} ${plain(event.uses)} ${shortened(JSON.stringify(event.output))}`;
    case "step":
      return event.status === "running" ? undefined : paint("dim", stepLine(event));
    case "progress":
      return undefined;
  }
}

function stepLine({ run, id, uses, status, error }: Extract<DevEvent, { event: "step" }>): string {
  const name = id === undefined ? uses : `${id} (${uses})`;
  return `  ${run.slice(-6)} ${name} ${status}${error === undefined ? "" : `: ${error.message} (${error.code})`}`;
}

type Shown = Pick<Failure, "message" | "code" | "remedy" | "place">;

function failureLines(subject: string, { message, code, remedy, place }: Shown, stream: NodeJS.WriteStream): string {
  const paint = (style: "dim" | "red", text: string) => styleText(style, plain(text), { stream });
  const lines = [`${paint("red", "✗")} ${plain(`${subject}${message} (${code})`)}`];
  if (place !== undefined) lines.push(`  at ${plain(fromHere(place))}`);
  if (remedy !== undefined) lines.push(paint("dim", `  ${remedy}`));
  return lines.join("\n");
}

const begunAgain = (count: number) => (count === 0 ? "" : `; ${count} step${count === 1 ? "" : "s"} begun again`);

const shortened = (text: string) => plain(text.length <= 300 ? text : `${text.slice(0, 299)}…`);

const fromHere = (path: string) => {
  const way = relative(process.cwd(), path);
  return way === "" || way.startsWith("..") ? path : way;
};

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").replace(/^\ufeff/, "");
  } catch {
    return undefined;
  }
}
