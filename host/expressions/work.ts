import type { JsonObject } from "../sdk.ts";
import { tooLarge } from "./limits.ts";

/** What is left to spend. A unit is worth some tens of nanoseconds. */
export interface Work {
  left: number;
}

/** Enough to compare objects with 25,000 members, or to look through 300,000 items or a text of a million characters. */
export const maxWork = 300_000;

/** In units, as measured. Objects of many members are tables to the engine, and by far the slowest to go through. */
export const cost = { value: 1, key: 3, member: 4 } as const;

export function startWork(): Work {
  return { left: maxWork };
}

/** Throws EXPRESSION_TOO_LARGE once all is spent; call it before the work is done. */
export function spend(work: Work, units: number): void {
  work.left -= units;
  if (work.left < 0) throw tooLarge("the values are too large to be worked through");
}

/** For what passes once over characters in a row, many at a time. */
export function spendOnText(work: Work, length: number): void {
  spend(work, length >> 6);
}

/** For what looks at each character. */
export function spendOnSearch(work: Work, length: number): void {
  spend(work, length >> 2);
}

export function keysOf(object: JsonObject, work: Work): string[] {
  const keys = Object.keys(object);
  spend(work, keys.length * cost.key);
  return keys;
}

/** Reads like Array.isArray, but leaves a JsonObject where it is false. */
