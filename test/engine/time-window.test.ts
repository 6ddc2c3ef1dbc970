// Time windows against a look at every single minute, in zones whose clocks change.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import fc from "fast-check";
import { nextInside } from "../../host/engine/time-window.ts";

const minuteMs = 60_000;
const before = process.env.TZ;
afterEach(() => {
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});

/** Minutes around these days are looked at: clocks change on or near them. */
const days: [zone: string, ...days: string[]][] = [
  ["Europe/Berlin", "2026-03-28", "2026-03-29", "2026-10-25", "2026-07-01"],
  ["America/New_York", "2026-03-08", "2026-11-01"],
  // Clocks change by half an hour.
  ["Australia/Lord_Howe", "2026-04-05", "2026-10-04"],
  // Clocks change at midnight: one day begins at 01:00.
  ["America/Sao_Paulo", "2018-11-04", "2018-02-17"],
  ["Asia/Beirut", "2026-03-29"],
  ["Pacific/Chatham", "2026-04-05"],
  ["Asia/Kathmandu", "2026-01-01"],
  // A whole day was left out.
  ["Pacific/Apia", "2011-12-29"],
  ["UTC", "2026-01-01"],
];

function localMinute(time: number): number {
  const moment = new Date(time);
  return moment.getHours() * 60 + moment.getMinutes();
}

/** The rule, said simply: the first minute from now on that is inside. */
function firstInside(from: number, to: number, now: number): number {
  const inside = (time: number) => {
    const minute = localMinute(time);
    return from === to || (from < to ? minute >= from && minute < to : minute >= from || minute < to);
  };
  if (inside(now)) return now;
  let time = Math.floor(now / minuteMs) * minuteMs + minuteMs;
  while (!inside(time)) time += minuteMs;
  return time;
}

const asText = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
// Windows of any length, and often one that is close to an hour at which clocks change.
const minute = fc.oneof(fc.nat(1439), fc.nat(239));

describe("a time window opens at the first minute that lies inside it", () => {
  for (const [zone, ...dates] of days)
    for (const date of dates)
      test(`${zone}, ${date}`, () => {
        process.env.TZ = zone;
        const midnight = Date.parse(`${date}T00:00:00Z`);
        const moment = fc.integer({ min: -14 * 60, max: 40 * 60 }).map((minutes) => midnight + minutes * minuteMs);
        fc.assert(
          fc.property(minute, minute, moment, fc.nat(minuteMs - 1), (from, to, start, more) => {
            const now = start + more;
            const told = nextInside({ from: asText(from), to: asText(to) }, now);
            assert.equal(new Date(told).toISOString(), new Date(firstInside(from, to, now)).toISOString());
          }),
          { numRuns: 150 },
        );
      });
});

test("a window inside an hour that the clocks leave out opens on the next day", () => {
  process.env.TZ = "Europe/Berlin";
  const opening = nextInside({ from: "02:15", to: "02:45" }, Date.parse("2026-03-29T00:00:00Z"));
  assert.equal(new Date(opening).toISOString(), "2026-03-30T00:15:00.000Z");
});

test("a window inside an hour that comes twice opens twice", () => {
  process.env.TZ = "Europe/Berlin";
  const open = (time: string) =>
    new Date(nextInside({ from: "02:15", to: "02:45" }, Date.parse(time))).toISOString().slice(0, 16);
  assert.equal(open("2026-10-24T23:00:00Z"), "2026-10-25T00:15");
  assert.equal(open("2026-10-25T00:50:00Z"), "2026-10-25T01:15");
});
