// What an answer is, and whether it is what was expected.

import { PluginError } from "gantry";
import type { Answer } from "./exchange.ts";
import type { RequestInput } from "./plugin.types.ts";

/** How much of an answer goes into an error. */
const shownLength = 500;

export interface Content {
  /** Null where it is JSON. */
  body: string | null;
  json: unknown;
  text: string;
}

/** JSON by its content-type, and text otherwise. */
export function contentOf({ headers, body }: Answer): Content {
  const text = body.toString("utf8");
  const type = (headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
  if (type === "application/json" || type.endsWith("+json")) {
    try {
      return { body: null, json: JSON.parse(text) as unknown, text };
    } catch {
      // Then it is what it is; who expects JSON is told.
    }
  }
  return { body: text, json: null, text };
}

/** Throws HTTP_STATUS, HTTP_BODY_MISMATCH. `where` is the URL as it may be shown. */
export function checkAnswer(input: RequestInput, answer: Answer, content: Content, where: string): void {
  const { expectStatus, expectBody } = input;
  const { status } = answer;
  const details = { status, body: content.text.slice(0, shownLength).toWellFormed() };
  if (expectStatus === undefined ? status < 200 || status > 299 : !expectStatus.includes(status)) {
    // These pass; others stay.
    const retryable = status === 429 || status === 408 || status >= 500;
    throw new PluginError("HTTP_STATUS", `${where} answered with status ${status}`, { details, retryable });
  }
  const mismatch = (what: string) =>
    new PluginError("HTTP_BODY_MISMATCH", `${where} answered with status ${status}, but ${what}`, { details });
  if (expectBody?.contains !== undefined && !content.text.includes(expectBody.contains))
    throw mismatch("without the text that is expected");
  if (expectBody === undefined || !("json" in expectBody)) return;
  if (content.body !== null) throw mismatch("with no JSON");
  const place = differenceOf(content.json, expectBody.json, "");
  if (place !== undefined) throw mismatch(`with another value at "${place}" than is expected`);
}

/** The JSON pointer to the first value that is not as expected; further members of objects do not matter. */
function differenceOf(found: unknown, expected: unknown, place: string): string | undefined {
  if (!isObject(expected) || !isObject(found) || Array.isArray(expected) !== Array.isArray(found))
    return Object.is(found, expected) ? undefined : place;
  if (Array.isArray(expected) && (found as unknown as unknown[]).length !== expected.length) return place;
  for (const [key, value] of Object.entries(expected)) {
    const below = `${place}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const difference = Object.hasOwn(found, key) ? differenceOf(found[key], value, below) : below;
    if (difference !== undefined) return difference;
  }
  return undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
