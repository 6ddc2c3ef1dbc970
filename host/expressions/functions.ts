import semver from "semver";
import { GantryError } from "../errors.ts";
import type { Json } from "../sdk.ts";
import { capped, jsonOf, maxDepth, textOf } from "./limits.ts";
import { holds } from "./operators.ts";

export interface ExpressionFunction {
  minArgs: number;
  maxArgs: number;
  /** For messages: how many arguments, and which. */
  takes: string;
  call(args: Json[]): Json;
}

export const functions: ReadonlyMap<string, ExpressionFunction> = new Map(
  Object.entries({
    contains: exactly(2, "a text or list and what to look for", ([within, wanted]) => {
      if (Array.isArray(within)) return holds(within, wanted!);
      return text("contains", 1, within).includes(text("contains", 2, wanted));
    }),
    startsWith: exactly(2, "a text and its beginning", ([of, start]) =>
      text("startsWith", 1, of).startsWith(text("startsWith", 2, start)),
    ),
    endsWith: exactly(2, "a text and its end", ([of, end]) =>
      text("endsWith", 1, of).endsWith(text("endsWith", 2, end)),
    ),
    format: {
      minArgs: 1,
      maxArgs: 255,
      takes: "a text with {0}, {1} and so on, and their values",
      call: ([pattern, ...values]) => format(text("format", 1, pattern), values),
    },
    join: {
      minArgs: 1,
      maxArgs: 2,
      takes: "a list and, optional, what to put between",
      call: ([items, between = ","]) => join(list("join", 1, items), text("join", 2, between)),
    },
    length: exactly(1, "a text, list or object", ([of]) => {
      if (typeof of === "string" || Array.isArray(of)) return of.length;
      if (typeof of === "object" && of !== null) return Object.keys(of).length;
      throw wrong("length", 1, "a text, list or object");
    }),
    add: {
      minArgs: 2,
      maxArgs: 255,
      takes: "two numbers or more",
      call: (args) =>
        finite(args.map((argument, index) => number("add", index + 1, argument)).reduce((sum, next) => sum + next)),
    },
    toJSON: exactly(1, "one value", ([value]) => jsonOf(value!)),
    fromJSON: exactly(1, "a text", ([source]) => fromJson(text("fromJSON", 1, source))),
    default: exactly(2, "a value and what to take instead of null", ([value, fallback]) => value ?? fallback!),
    semver: exactly(2, "a version and a range", ([version, range]) => {
      const given = semver.valid(text("semver", 1, version));
      const wanted = semver.validRange(text("semver", 2, range));
      if (given === null) throw wrong("semver", 1, "a version such as 1.2.3");
      if (wanted === null) throw wrong("semver", 2, "a range such as ^1.2.0");
      return semver.satisfies(given, wanted);
    }),
  } satisfies Record<string, ExpressionFunction>),
);

function exactly(count: number, what: string, call: (args: Json[]) => Json): ExpressionFunction {
  const words = ["no", "one", "two"][count]!;
  return { minArgs: count, maxArgs: count, takes: `${words} argument${count === 1 ? "" : "s"} (${what})`, call };
}

/** `{0}` is the first value, `{{` and `}}` are braces. */
function format(pattern: string, values: Json[]): string {
  let result = "";
  let end = 0;
  for (const found of pattern.matchAll(/\{\{|\}\}|\{(\d{1,3})\}|[{}]/g)) {
    result = capped(result + pattern.slice(end, found.index) + replacement(found, values));
    end = found.index + found[0].length;
  }
  return capped(result + pattern.slice(end));
}

function replacement([found, index]: RegExpExecArray, values: Json[]): string {
  if (found === "{{" || found === "}}") return found[0]!;
  if (index === undefined || Number(index) >= values.length)
    throw wrong("format", 1, `a text in which ${found} has a value`);
  return textOf(values[Number(index)]!);
}

function join(items: Json[], between: string): string {
  let size = 0;
  const texts = items.map((item, index) => {
    const word = textOf(item);
    size += word.length + (index === 0 ? 0 : between.length);
    capped("", size);
    return word;
  });
  return texts.join(between);
}

function fromJson(source: string): Json {
  let value: Json;
  try {
    value = JSON.parse(source) as Json;
  } catch {
    throw wrong("fromJSON", 1, "JSON");
  }
  if (!isFit(value, maxDepth))
    throw wrong("fromJSON", 1, `JSON that is at most ${maxDepth} deep, and whose numbers are not endless`);
  return value;
}

// A number such as 1e999 is read as infinity, which no JSON can hold.
function isFit(value: Json, depth: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isFit(inner!, depth - 1));
}

function text(name: string, argument: number, value: Json | undefined): string {
  if (typeof value === "string") return value;
  throw wrong(name, argument, "a text");
}

function list(name: string, argument: number, value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value;
  throw wrong(name, argument, "a list");
}

function number(name: string, argument: number, value: Json): number {
  if (typeof value === "number") return value;
  throw wrong(name, argument, "a number");
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new GantryError("EXPRESSION_FAILED", "the sum is too large to be a number");
}

function wrong(name: string, argument: number, expected: string): GantryError {
  return new GantryError("EXPRESSION_FAILED", `argument ${argument} of ${name} must be ${expected}`);
}
