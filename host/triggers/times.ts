// When a schedule is due: functions of the last time that was dealt with and of the clock, without either of them.

import type { CronTimes } from "../cron.ts";

/** Times that passed, told apart no further than this. */
export const maxCounted = 1000;

/** Scheduled times; all numbers are epoch milliseconds. */
export interface Times {
  /** The times later than `handledAt` up to `now`: the last one of them and how many, counted up to `maxCounted`. */
  passed(handledAt: number, now: number): { last: number; count: number } | undefined;
  /** The first one later than `handledAt`; undefined when none ever comes. */
  next(handledAt: number): number | undefined;
  /** Where to count from when the clock says `now`: another time than `handledAt` once the clock has been set back. */
  anchor(handledAt: number, now: number): number;
}

const dayMs = 24 * 3_600_000;

/** Times of the calendar: each comes once, also when the clock shows it twice. */
export function calendarTimes(cron: CronTimes): Times {
  return {
    passed(handledAt, now) {
      const last = cron.upTo(now);
      if (last === undefined || last <= handledAt) return undefined;
      let count = 1;
      for (let time = cron.after(handledAt); time !== undefined && time < last && count < maxCounted; count += 1)
        time = cron.after(time);
      return { last, count };
    },
    next: (handledAt) => cron.after(handledAt),
    // More than a day means that the clock had been wrong before: to wait for it to catch up could take years.
    anchor: (handledAt, now) => (handledAt > now + dayMs ? now : handledAt),
  };
}

/** A time every so often after the last run. */
export function intervalTimes(everyMs: number): Times {
  return {
    passed(handledAt, now) {
      const count = Math.floor((now - handledAt) / everyMs);
      return count < 1 ? undefined : { last: handledAt + count * everyMs, count: Math.min(count, maxCounted) };
    },
    next: (handledAt) => handledAt + everyMs,
    anchor: (handledAt, now) => Math.min(handledAt, now),
  };
}

export type Decision =
  | { kind: "wait"; until: number | undefined }
  /** `missed`: how many times had no run of their own; the run's is among them when it is late. */
  | { kind: "run" | "skip"; scheduledAt: number; late: boolean; missed: number };

/** A time that passed at most `punctualMs` ago is on time; `missed` says what becomes of a later one. */
export function decide(
  times: Times,
  handledAt: number,
  now: number,
  { missed, punctualMs }: { missed: "run-once" | "skip"; punctualMs: number },
): Decision {
  const passed = times.passed(handledAt, now);
  if (passed === undefined) return { kind: "wait", until: times.next(handledAt) };
  const late = now - passed.last > punctualMs;
  return {
    kind: late && missed === "skip" ? "skip" : "run",
    scheduledAt: passed.last,
    late,
    missed: late ? passed.count : passed.count - 1,
  };
}
