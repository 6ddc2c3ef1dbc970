import { GantryError } from "../errors.ts";
import type { Json } from "../sdk.ts";

/** The largest text an expression may compute, in UTF-16 units. */
export const maxTextLength = 65_536;

/** The text itself, or EXPRESSION_TOO_LARGE. `length` may be given for a text still in the making. */
export function capped(text: string, length = text.length): string {
  if (length <= maxTextLength) return text;
  throw new GantryError("EXPRESSION_TOO_LARGE", `the text would have more than ${maxTextLength} characters`);
}

/** How a value reads inside a text: null as nothing, texts as they are, everything else as JSON. */
export function textOf(value: Json): string {
  if (value === null) return "";
  return capped(typeof value === "string" ? value : JSON.stringify(value));
}
