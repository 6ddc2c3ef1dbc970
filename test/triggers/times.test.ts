// Which scheduled times are due, against a model that goes through the clock second by second.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cronTimes } from "../../host/cron.ts";
import { calendarTimes, decide, intervalTimes, maxCounted } from "../../host/triggers/times.ts";

const start = Date.UTC(2026, 0, 1);
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Every second, minute and hour a field allows: written once for cron and once for the model. */
const field = (limit: number) =>
  fc.oneof(
    fc.constant({ text: "*", allows: (_: number) => true }),
    fc.integer({ min: 0, max: limit - 1 }).map((only) => ({ text: String(only), allows: (n: number) => n === only })),
    fc
      .integer({ min: 2, max: limit - 1 })
      .map((step) => ({ text: `*/${step}`, allows: (n: number) => n % step === 0 })),
  );

const cronExpression = fc.record({ second: field(60), minute: field(60), hour: field(24) }).map((fields) => ({
  text: `${fields.second.text} ${fields.minute.text} ${fields.hour.text} * * *`,
  matches(time: number) {
    const date = new Date(time);
    return (
      date.getUTCMilliseconds() === 0 &&
      fields.second.allows(date.getUTCSeconds()) &&
      fields.minute.allows(date.getUTCMinutes()) &&
      fields.hour.allows(date.getUTCHours())
    );
  },
}));

function modelOf(matches: (time: number) => boolean, handledAt: number, now: number): number[] {
  const times = [];
  for (let time = Math.ceil((handledAt + 1) / secondMs) * secondMs; time <= now; time += secondMs)
    if (matches(time)) times.push(time);
  return times;
}

test("the times of a cron expression that passed are those the clock has shown, no more and no less", () => {
  const span = fc.record({ from: fc.integer({ min: 0, max: dayMs }), length: fc.integer({ min: 0, max: 2 * hourMs }) });
  fc.assert(
    fc.property(cronExpression, span, ({ text, matches }, { from, length }) => {
      const handledAt = start + from;
      const now = handledAt + length;
      const expected = modelOf(matches, handledAt, now);
      const passed = calendarTimes(cronTimes(text, "UTC")).passed(handledAt, now);
      if (expected.length === 0) return assert.equal(passed, undefined);
      assert.deepEqual(passed, { last: expected.at(-1), count: Math.min(expected.length, maxCounted) });
    }),
    { numRuns: 300 },
  );
});

test("the next time of a cron expression is the first one that would be found to have passed", () => {
  fc.assert(
    fc.property(cronExpression, fc.integer({ min: 0, max: dayMs }), ({ text }, from) => {
      const times = calendarTimes(cronTimes(text, "UTC"));
      const next = times.next(start + from)!;
      assert.equal(times.passed(start + from, next - 1), undefined);
      assert.deepEqual(times.passed(start + from, next), { last: next, count: 1 });
    }),
    { numRuns: 300 },
  );
});

test("an interval's times that passed are those of counting on from the last run", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: -10, max: 200_000 }), (everyMs, elapsed) => {
      const expected = [];
      for (let time = start + everyMs; time <= start + elapsed; time += everyMs) expected.push(time);
      const passed = intervalTimes(everyMs).passed(start, start + elapsed);
      if (expected.length === 0) return assert.equal(passed, undefined);
      assert.deepEqual(passed, { last: expected.at(-1), count: Math.min(expected.length, maxCounted) });
    }),
  );
});

test("whatever the clock does and whenever the host is down, each time has one run or counts as missed, once", () => {
  const times = calendarTimes(cronTimes("*/10 * * * * *", "UTC"));
  // What the clock does between two looks: go on, jump forward, or be set back, all in all by less than a day.
  const moves = fc.array(fc.integer({ min: -20_000, max: 60_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(moves, fc.constantFrom("run-once" as const, "skip" as const), (steps, missed) => {
      let now = start + 1;
      let furthest = now;
      let handledAt = now;
      const runs: number[] = [];
      let missedTimes = 0;
      for (const step of steps) {
        now += step;
        furthest = Math.max(furthest, now);
        handledAt = times.anchor(handledAt, now);
        const decision = decide(times, handledAt, now, { missed, punctualMs: 1000 });
        if (decision.kind === "wait") continue;
        const { kind, scheduledAt, late } = decision;
        assert.equal(late, now - scheduledAt > 1000);
        assert.equal(kind, late && missed === "skip" ? "skip" : "run");
        if (kind === "run") runs.push(scheduledAt);
        missedTimes += decision.missed;
        if (late && kind === "run") missedTimes -= 1;
        handledAt = scheduledAt;
      }
      assert.equal(new Set(runs).size, runs.length);
      const shown = Math.floor(furthest / 10_000) - Math.floor(start / 10_000);
      assert.equal(runs.length + missedTimes, shown);
    }),
    { numRuns: 500 },
  );
});

test("a clock set back shows times a second time, and they have no second run", () => {
  const times = calendarTimes(cronTimes("0 3 * * *", "UTC"));
  const handledAt = start + 3 * hourMs;
  const setBackTo = handledAt - hourMs;
  assert.equal(times.anchor(handledAt, setBackTo), handledAt);
  const options = { missed: "run-once", punctualMs: 0 } as const;
  assert.deepEqual(decide(times, handledAt, handledAt, options), { kind: "wait", until: handledAt + dayMs });
});

test("a clock that had been years ahead does not stop the schedule for years", () => {
  const times = calendarTimes(cronTimes("0 3 * * *", "UTC"));
  const handledAt = start + 30 * 365 * dayMs;
  assert.equal(times.anchor(handledAt, start), start);
});

test("an interval goes on from the moment the clock was set back", () => {
  const times = intervalTimes(hourMs);
  assert.equal(times.next(times.anchor(start, start - 5 * hourMs)), start - 4 * hourMs);
});

test("counting the times of a year of downtime ends early", () => {
  const year = start + 365 * dayMs;
  assert.deepEqual(calendarTimes(cronTimes("* * * * * *", "UTC")).passed(start, year), {
    last: year,
    count: maxCounted,
  });
  assert.deepEqual(intervalTimes(1).passed(start, year), { last: year, count: maxCounted });
});

test("an expression whose day never comes has no next time", () => {
  const times = calendarTimes(cronTimes("0 0 31 2 *", "UTC"));
  assert.equal(times.next(start), undefined);
  assert.equal(times.passed(start, start + dayMs), undefined);
});

/** The times of two days around a change of the clock, in UTC. */
function timesOf(cron: string, from: string, to: string): string[] {
  const times = calendarTimes(cronTimes(cron, "Europe/Berlin"));
  const found = [];
  for (let time = times.next(Date.parse(from)); time !== undefined && time <= Date.parse(to); time = times.next(time))
    found.push(new Date(time).toISOString().slice(0, 16));
  return found;
}

test("a time of day that summer time leaves out runs just after the gap, and one that comes twice runs once", () => {
  assert.deepEqual(timesOf("30 2 * * *", "2026-03-28T12:00Z", "2026-03-30T12:00Z"), [
    "2026-03-29T01:00",
    "2026-03-30T00:30",
  ]);
  assert.deepEqual(timesOf("30 2 * * *", "2026-10-24T12:00Z", "2026-10-26T12:00Z"), [
    "2026-10-25T00:30",
    "2026-10-26T01:30",
  ]);
});

test("what runs every half hour does so through the changes of summer time", () => {
  for (const day of ["2026-03-29", "2026-10-25"])
    assert.deepEqual(timesOf("*/30 * * * *", `${day}T00:00Z`, `${day}T02:00Z`), [
      `${day}T00:30`,
      `${day}T01:00`,
      `${day}T01:30`,
      `${day}T02:00`,
    ]);
});
