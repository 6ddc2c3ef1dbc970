import type { TimeWindow } from "./records.ts";

const minuteMs = 60_000;
/** Clocks change at full quarters of an hour only, in every zone there is. */
const quarterMs = 15 * minuteMs;
const minutesOfDay = 24 * 60;

/**
 * The earliest moment from `now` on that lies within a window of the local time of day (epoch milliseconds): `now`
 * itself when it is inside. `from` and `to` being equal means the whole day.
 */
export function nextInside({ from, to }: TimeWindow, now: number): number {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const length = (end - begin + minutesOfDay) % minutesOfDay || minutesOfDay;
  let time = now;
  for (;;) {
    const sinceBegin = (localMinute(time) - begin + minutesOfDay) % minutesOfDay;
    if (sinceBegin < length) return time;
    // As far as the opening, but not past a moment at which the clocks may have changed.
    const opening = Math.floor(time / minuteMs) * minuteMs + (minutesOfDay - sinceBegin) * minuteMs;
    const quarter = Math.floor(time / quarterMs) * quarterMs + quarterMs;
    time = Math.min(opening, quarter);
  }
}

function localMinute(time: number): number {
  const moment = new Date(time);
  return moment.getHours() * 60 + moment.getMinutes();
}

const minutesOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
