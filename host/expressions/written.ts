// Values as texts.

import { isObject } from "../is-object.ts";
import type { Json } from "../sdk.ts";
import { capped, checkLength } from "./limits.ts";
import { cost, keysOf, spend, spendOnText, type Work } from "./work.ts";

/** How a value reads inside a text: null as nothing, texts as they are, everything else as JSON. */
export function textOf(value: Json, work: Work): string {
  if (value === null) return "";
  return typeof value === "string" ? capped(value) : jsonOf(value, work);
}

/** The value as JSON, or EXPRESSION_TOO_LARGE before much of it has been written. */
export function jsonOf(value: Json, work: Work): string {
  // What has been seen has at least this many characters.
  let length = 0;
  const open: Json[] = [value];
  while (open.length > 0) {
    const next = open.pop()!;
    length += typeof next === "string" ? next.length + 2 : 1;
    checkLength(length);
    spend(work, cost.value + cost.member);
    if (typeof next === "string") spendOnText(work, next.length);
    if (Array.isArray(next)) {
      checkLength(length + next.length);
      for (const item of next) open.push(item);
    } else if (isObject(next))
      for (const key of keysOf(next, work)) {
        length += key.length + 3;
        checkLength(length);
        open.push(next[key]!);
      }
  }
  const written = JSON.stringify(value);
  // What has to be written as an escape takes as long as its result.
  spendOnText(work, written.length);
  return capped(written);
}
