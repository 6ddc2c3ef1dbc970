import type { TimeWindow } from "./records.ts";

/**
 * The earliest moment from `now` on that lies within a window of the local time of day (epoch milliseconds): `now`
 * itself when it is inside. `from` and `to` being equal means the whole day.
 */
export function nextInside({ from, to }: TimeWindow, now: number): number {
  const moment = new Date(now);
  const minute = moment.getHours() * 60 + moment.getMinutes();
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const inside = begin <= end ? minute >= begin && minute < end : minute >= begin || minute < end;
  if (inside || begin === end) return now;
  for (const daysAhead of [0, 1]) {
    // The calendar knows of days that are an hour longer or shorter.
    const opening = new Date(moment.getFullYear(), moment.getMonth(), moment.getDate() + daysAhead, 0, begin);
    if (opening.getTime() > now) return opening.getTime();
  }
  // An hour that a change of the clocks leaves out: look again when it is over.
  return now + 3_600_000;
}

const minutesOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
