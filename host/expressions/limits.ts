import { GantryError } from "../errors.ts";
import type { Json } from "../sdk.ts";

/** The largest text an expression may compute, in UTF-16 units. */
export const maxTextLength = 65_536;

/** How many values one comparison may look at; more than a document or message of 1 MiB can hold. */
export const maxCompared = 1_000_000;

/** How deep what fromJSON reads may be nested. */
export const maxDepth = 64;

/** The text itself, or EXPRESSION_TOO_LARGE. `length` may be given for a text still in the making. */
export function capped(text: string, length = text.length): string {
  if (length <= maxTextLength) return text;
  throw tooLarge(`the text would have more than ${maxTextLength} characters`);
}

/** How a value reads inside a text: null as nothing, texts as they are, everything else as JSON. */
export function textOf(value: Json): string {
  if (value === null) return "";
  return typeof value === "string" ? capped(value) : jsonOf(value);
}

/** The value as JSON, or EXPRESSION_TOO_LARGE before much of it has been written. */
export function jsonOf(value: Json): string {
  let left = maxTextLength;
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // A lower bound of what this one adds.
    left -= typeof next === "string" ? next.length + 2 : 1;
    if (typeof next === "object" && next !== null)
      for (const [key, inner] of Object.entries(next)) {
        if (!Array.isArray(next)) left -= key.length + 3;
        if (left < 0) break;
        open.push(inner!);
      }
    capped("", maxTextLength - left);
  }
  return capped(JSON.stringify(value));
}

export function tooLarge(message: string): GantryError {
  return new GantryError("EXPRESSION_TOO_LARGE", message);
}
