// A run's clock with a wall clock and a monotonic clock that the test moves.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { systemClock } from "../../host/clock.ts";
import { RunClock } from "../../host/engine/run-clock.ts";

const hourMs = 3_600_000;
const today = Date.parse("2026-06-01T12:00:00Z");

/** `pass` lets time go by; `set` moves the wall clock alone. */
function clocks(t: TestContext, wall: number) {
  let monotonic = 5000;
  let offset = wall - monotonic;
  t.mock.method(performance, "now", () => monotonic);
  t.mock.method(Date, "now", () => Math.floor(monotonic + offset));
  return {
    pass: (ms: number) => {
      monotonic += ms;
    },
    set: (time: number) => {
      offset = time - monotonic;
    },
    wall: () => Math.floor(monotonic + offset),
  };
}

test("it goes with the wall clock while nobody sets that", (t) => {
  const { pass, wall } = clocks(t, today);
  const clock = new RunClock(today - hourMs, systemClock);
  for (let step = 0; step < 50; step++) {
    assert.equal(clock.now(), wall());
    pass(step * 17.3);
  }
});

test("where the device begins in the past, it goes on from what was last heard of the run", (t) => {
  const { pass, set } = clocks(t, 0);
  const clock = new RunClock(today, systemClock);
  assert.equal(clock.now(), today);
  pass(500);
  assert.equal(clock.now(), today + 500);
  set(today + hourMs);
  assert.equal(clock.now(), today + hourMs, "it follows a clock that is put right");
});

test("whatever the wall clock is set to, it never goes back, never stands still, and is never behind the wall clock", (t) => {
  const change = fc.record({ passed: fc.double({ min: 0, max: 1e7, noNaN: true }), set: fc.option(fc.nat(1e9)) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 50 }), fc.nat(1e9), (changes, last) => {
      t.mock.restoreAll();
      const { pass, set, wall } = clocks(t, 500_000_000);
      const clock = new RunClock(last, systemClock);
      let before = clock.now();
      assert.ok(before >= last);
      for (const { passed, set: time } of changes) {
        pass(passed);
        if (time !== null) set(time);
        const now = clock.now();
        assert.ok(now >= before + Math.floor(passed) - 1, `${passed} ms passed, and it went from ${before} to ${now}`);
        assert.ok(now >= wall());
        before = now;
      }
    }),
  );
});
