// When uploads begin by themselves: every `period`, from a time on, until another one.

import type { JsonObject } from "gantry";
import { periodInvalid } from "./failures.ts";
import { parseTimestamp, type Timestamp } from "./timestamps.ts";

export interface Activation {
  /** Tells activations apart; each begins with a tick of its own. */
  id: string;
  active: boolean;
  from: string | null;
  till: string | null;
}

/** What has been of one activation. */
export interface Ticks {
  activation: string;
  count: number;
  /** Epoch milliseconds. */
  lastAt: number;
}

/** The property `autoUpload`. */
export function autoUpload({ active, from, till }: Activation): JsonObject {
  return { active, startTime: from, endTime: till };
}

/** Throws FILE_UPLOAD_PERIOD_INVALID, in the original's words. `what` is said of a text that is no time. */
export function checkPeriod(
  from: string | null,
  till: string | null,
  what: string,
): { from: string | null; till: string | null } {
  const read = (text: string | null): Timestamp | undefined => {
    if (text === null) return undefined;
    const time = parseTimestamp(text);
    if (time === undefined) throw periodInvalid(what);
    return time;
  };
  const [begin, end] = [read(from), read(till)];
  if (begin !== undefined && end !== undefined && end.epochMs < begin.epochMs)
    throw periodInvalid(`period end - ${end.goText} -  is before period start - ${begin.goText}`);
  return { from: begin?.text ?? null, till: end?.text ?? null };
}

/**
 * When the next tick is due; undefined: never again. What was missed while nobody was there is made up for once, and a
 * time that has passed ends everything.
 */
export function nextTick(
  { id, active, from, till }: Activation,
  ticks: Ticks | undefined,
  periodMs: number,
  now: number,
): number | undefined {
  if (!active) return undefined;
  const begin = from === null ? now : parseTimestamp(from)!.epochMs;
  const end = till === null ? Number.POSITIVE_INFINITY : parseTimestamp(till)!.epochMs;
  const isFirst = ticks === undefined || ticks.activation !== id;
  const due = Math.max(now, isFirst ? begin : ticks.lastAt + periodMs);
  return due < end ? due : undefined;
}
