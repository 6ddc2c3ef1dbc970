import assert from "node:assert/strict";
import { test } from "node:test";
import { cronTimes, isCron, isTimezone } from "../host/cron.ts";

test("five fields, six with seconds and the usual names are cron expressions", () => {
  for (const text of ["0 3 * * *", "*/10 * * * * *", "0 0 * * mon-fri", "0 0 L * *", "@daily", " 0  3 * * * "])
    assert.equal(isCron(text), true, text);
});

test("other texts are none", () => {
  for (const text of ["", "daily", "@reboot", "* * *", "61 * * * *", "2026-01-01T00:00:00", "2026-01-01 00:00:00"])
    assert.equal(isCron(text), false, text);
  for (const text of ["* * * * * * 2030", "a b c d e", "0 3 * * * # nightly"]) assert.equal(isCron(text), false, text);
  assert.throws(() => cronTimes("2026-01-01T00:00:00"), TypeError);
});

test("a time zone has an IANA name", () => {
  for (const text of ["Europe/Berlin", "UTC"]) assert.equal(isTimezone(text), true, text);
  for (const text of ["Europe/Berln", "", "here"]) assert.equal(isTimezone(text), false, text);
});

test("a moment inside a second belongs to the time at its beginning", () => {
  const times = cronTimes("*/10 * * * * *", "UTC");
  const time = Date.UTC(2026, 0, 1, 0, 0, 10);
  assert.equal(times.upTo(time), time);
  assert.equal(times.upTo(time + 999), time);
  assert.equal(times.upTo(time - 1), time - 10_000);
  assert.equal(times.after(time), time + 10_000);
  assert.equal(times.after(time - 1), time);
});
