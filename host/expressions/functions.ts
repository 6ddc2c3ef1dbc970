import satisfies from "semver/functions/satisfies.js";
import validVersion from "semver/functions/valid.js";
import validRange from "semver/ranges/valid.js";
import { GantryError } from "../errors.ts";
import { isObject } from "../is-object.ts";
import type { Json } from "../sdk.ts";
import { capped, checkLength, maxDepth, maxRangeLength } from "./limits.ts";
import { holds } from "./operators.ts";
import { occurs } from "./search.ts";
import { keysOf, spend, spendOnSearch, spendOnText, type Work } from "./work.ts";
import { jsonOf, textOf } from "./written.ts";

export interface ExpressionFunction {
  minArgs: number;
  maxArgs: number;
  /** For messages: how many arguments, and which. */
  takes: string;
  call(args: Json[], work: Work): Json;
}

export const functions: ReadonlyMap<string, ExpressionFunction> = new Map(
  Object.entries({
    contains: exactly(2, "a text or list and what to look for", ([within, wanted], work) => {
      if (Array.isArray(within)) return holds(within, wanted!, work);
      const [whole, part] = [text("contains", 1, within), text("contains", 2, wanted)];
      spendOnSearch(work, whole.length + part.length);
      return occurs(part, whole);
    }),
    startsWith: exactly(2, "a text and its beginning", ([of, given], work) => {
      const [whole, start] = [text("startsWith", 1, of), text("startsWith", 2, given)];
      spendOnText(work, start.length);
      return whole.startsWith(start);
    }),
    endsWith: exactly(2, "a text and its end", ([of, given], work) => {
      const [whole, end] = [text("endsWith", 1, of), text("endsWith", 2, given)];
      spendOnText(work, end.length);
      return whole.endsWith(end);
    }),
    format: {
      minArgs: 1,
      maxArgs: 255,
      takes: "a text with {0}, {1} and so on, and their values",
      call: ([pattern, ...values], work) => format(text("format", 1, pattern), values, work),
    },
    join: {
      minArgs: 1,
      maxArgs: 2,
      takes: "a list and, optional, what to put between",
      call: ([items, between = ","], work) => join(list("join", 1, items), text("join", 2, between), work),
    },
    length: exactly(1, "a text, list or object", ([of], work) => {
      if (typeof of === "string" || Array.isArray(of)) return of.length;
      if (isObject(of)) return keysOf(of, work).length;
      throw wrong("length", 1, "a text, list or object");
    }),
    add: {
      minArgs: 2,
      maxArgs: 255,
      takes: "two numbers or more",
      call: (args) =>
        finite(args.map((argument, index) => number("add", index + 1, argument)).reduce((sum, next) => sum + next)),
    },
    toJSON: exactly(1, "one value", ([value], work) => jsonOf(value!, work)),
    fromJSON: exactly(1, "a text", ([source], work) => fromJson(text("fromJSON", 1, source), work)),
    default: exactly(2, "a value and what to take instead of null", ([value, fallback]) => value ?? fallback!),
    semver: exactly(2, "a version and a range", ([version, range], work) =>
      isInRange(text("semver", 1, version), text("semver", 2, range), work),
    ),
  } satisfies Record<string, ExpressionFunction>),
);

function exactly(count: number, what: string, call: ExpressionFunction["call"]): ExpressionFunction {
  const words = ["no", "one", "two"][count]!;
  return { minArgs: count, maxArgs: count, takes: `${words} argument${count === 1 ? "" : "s"} (${what})`, call };
}

/** `{0}` is the first value, `{{` and `}}` are braces. */
function format(pattern: string, values: Json[], work: Work): string {
  spend(work, pattern.length);
  let result = "";
  let end = 0;
  for (const found of pattern.matchAll(/\{\{|\}\}|\{(\d{1,3})\}|[{}]/g)) {
    result = capped(result + pattern.slice(end, found.index) + replacement(found, values, work));
    end = found.index + found[0].length;
  }
  return capped(result + pattern.slice(end));
}

function replacement([found, index]: RegExpExecArray, values: Json[], work: Work): string {
  if (found === "{{" || found === "}}") return found[0]!;
  if (index === undefined || Number(index) >= values.length)
    throw wrong("format", 1, "a text in which each {number} has a value and other braces are doubled");
  return textOf(values[Number(index)]!, work);
}

function join(items: Json[], between: string, work: Work): string {
  spend(work, items.length);
  let size = 0;
  const texts = items.map((item, index) => {
    const word = textOf(item, work);
    size += word.length + (index === 0 ? 0 : between.length);
    checkLength(size);
    return word;
  });
  return texts.join(between);
}

function fromJson(source: string, work: Work): Json {
  spend(work, source.length);
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

function isInRange(version: string, range: string, work: Work): boolean {
  const given = validVersion(version);
  if (given === null) throw wrong("semver", 1, "a version such as 1.2.3");
  // The library bounds the length of versions, and of ranges not.
  const wanted = range.length > maxRangeLength ? null : validRange(range);
  if (wanted === null) throw wrong("semver", 2, `a range such as ^1.2.0, of at most ${maxRangeLength} characters`);
  spend(work, range.length);
  return satisfies(given, wanted);
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
