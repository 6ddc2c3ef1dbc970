import { GantryError } from "../errors.ts";

/** The largest text an expression may compute, in UTF-16 units. */
export const maxTextLength = 65_536;

/** How deep what fromJSON reads may be nested. */
export const maxDepth = 64;

/** How long a range of semver() may be, as versions are bounded by the library. */
export const maxRangeLength = 256;

/** The text itself, or EXPRESSION_TOO_LARGE. */
export function capped(text: string): string {
  checkLength(text.length);
  return text;
}

/** For a text still in the making; throws EXPRESSION_TOO_LARGE. */
export function checkLength(length: number): void {
  if (length > maxTextLength) throw tooLarge(`the text would have more than ${maxTextLength} characters`);
}

export function tooLarge(message: string): GantryError {
  return new GantryError("EXPRESSION_TOO_LARGE", message);
}
