// The host's log on standard error: one JSON object a line for collectors, readable lines on a terminal. Keeping and
// rotating it is the job of whoever reads standard error (journald, a container's log driver).

import { stripVTControlCharacters, styleText } from "node:util";
import pino from "pino";
import { maskLine } from "./mask-line.ts";
import type { Log } from "./sdk.ts";
import { plain } from "./terminal/plain.ts";

export interface HostLog extends Log {
  /** A log whose lines carry these fields as well. */
  child(fields: Record<string, unknown>): HostLog;
}

export interface LogOptions {
  /** debug, info, warn, error or silent. */
  level: string;
  /** Readable lines; default: when standard error is a terminal. */
  pretty?: boolean;
  /** Takes whole lines; default: standard error. */
  write?: (line: string) => void;
}

export function createLog({
  level,
  pretty = process.stderr.isTTY === true,
  write = toStandardError(),
}: LogOptions): HostLog {
  const destination = { write: (line: string) => write(pretty ? readable(maskLine(line)) : maskLine(line)) };
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, destination);
  return new LazyLog(logger, () => logger, {});
}

type Level = "debug" | "info" | "warn" | "error";

/** Every run and attempt has a log of its own, and most of them never write: the child is made with its first line. */
class LazyLog implements HostLog {
  readonly #root: pino.Logger;
  readonly #make: () => pino.Logger;
  /** What each of its lines carries already. */
  readonly #bound: Readonly<Record<string, unknown>>;
  #logger: pino.Logger | undefined;

  constructor(root: pino.Logger, make: () => pino.Logger, bound: Readonly<Record<string, unknown>>) {
    this.#root = root;
    this.#make = make;
    this.#bound = bound;
  }

  // Plugins take these from the context and call them as they like.
  debug = (text: string, fields?: Record<string, unknown>) => this.#write("debug", text, fields);
  info = (text: string, fields?: Record<string, unknown>) => this.#write("info", text, fields);
  warn = (text: string, fields?: Record<string, unknown>) => this.#write("warn", text, fields);
  error = (text: string, fields?: Record<string, unknown>) => this.#write("error", text, fields);
  child = (fields: Record<string, unknown>): HostLog => {
    const safe = safeNames(fields, this.#bound);
    return new LazyLog(this.#root, () => this.#own().child(safe), { ...this.#bound, ...safe });
  };

  #own(): pino.Logger {
    this.#logger ??= this.#make();
    return this.#logger;
  }

  #write(level: Level, text: string, fields: Record<string, unknown> | undefined): void {
    if (this.#root.isLevelEnabled(level)) this.#own()[level](safeNames(fields, this.#bound), text);
  }
}

const ownNames: Readonly<Record<string, unknown>> = { level: undefined, time: undefined, msg: undefined };

/**
 * A plugin's field must not pass for the line's own, or for what the log says of each line (`plugin`, `run`): it gets a
 * `_` behind its name. What is said already is not said again.
 */
function safeNames(
  fields: Record<string, unknown> = {},
  bound: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const isTaken = (name: string) => Object.hasOwn(ownNames, name) || Object.hasOwn(bound, name);
  if (!Object.keys(fields).some(isTaken)) return fields;
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name, value]) => !Object.hasOwn(bound, name) || bound[name] !== value)
      .map(([name, value]) => [isTaken(name) ? `${name}_` : name, value]),
  );
}

/** Synchronous, so that the last line before a crash is there. */
function toStandardError(): (line: string) => void {
  const destination = pino.destination({ fd: 2, sync: true });
  // Nobody reads any more: there is no place left to say so.
  destination.on("error", () => {});
  return (line) => void destination.write(line);
}

const colours = { debug: "dim", info: "blue", warn: "yellow", error: "red" } as const;

function readable(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown> & {
    level: keyof typeof colours;
  };
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    styleText(style, text, { stream: process.stderr });
  const clock = String(time).slice(11, 19);
  const facts = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const reason = typeof err === "string" ? err : (err as { message?: string } | undefined)?.message;
  if (reason !== undefined) facts.push(`error=${reason}`);
  const text = plain(stripVTControlCharacters(String(msg)));
  return `${paint("dim", clock)} ${paint(colours[level], level.padEnd(5))} ${text} ${paint("dim", plain(facts.join(" ")))}\n`;
}
