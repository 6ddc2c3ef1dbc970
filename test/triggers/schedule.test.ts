// The trigger host/schedule on a clock that the test sets.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { GantryError } from "../../host/errors.ts";
import type { Emission } from "../../host/sdk.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostTriggers, hostTriggers } from "./host-triggers.ts";

/** A time of one day, in UTC. */
const at = (time: string) => Date.parse(`2026-03-02T${time}Z`);

/** The clock stands still until it is set. */
function clock(t: TestContext): (time: string) => void {
  t.mock.timers.enable({ apis: ["Date"], now: at("11:30:00") });
  return (time) => t.mock.timers.setTime(at(time));
}

const hourly = { cron: "0 * * * *", timezone: "UTC" };

/** `12:00 +2` is the run for 12:00, before which two times were missed. */
const shown = (emissions: Emission[]) =>
  emissions.map(({ event }) => `${(event!.scheduledAt as string).slice(11, 16)} +${event!.missed}`);

/** As a host that is up just before the full hour and at it; ends when the run is accepted and that is kept. */
async function liveThrough(hour: number, triggers: HostTriggers, set: (time: string) => void, options = {}) {
  const before = triggers.emissions.length;
  set(`${hour - 1}:59:59.900`);
  const stop = await triggers.start("schedule", { ...hourly, ...options });
  set(`${hour}:00:00`);
  await waitFor(`the run of ${hour}:00`, () => triggers.emissions.length > before);
  await stop();
}

test("each time gives one emission, with the time it is for", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  await liveThrough(12, triggers, set);
  await liveThrough(13, triggers, set);
  assert.deepEqual(triggers.emissions, [
    {
      input: {},
      event: { scheduledAt: "2026-03-02T12:00:00.000Z", missed: 0 },
      delivery: { key: "schedule", fingerprint: "2026-03-02T12:00:00.000Z", redelivered: true },
    },
    {
      input: {},
      event: { scheduledAt: "2026-03-02T13:00:00.000Z", missed: 0 },
      delivery: { key: "schedule", fingerprint: "2026-03-02T13:00:00.000Z", redelivered: true },
    },
  ]);
  assert.deepEqual(triggers.lines, []);
});

test("times that passed while the host was down are counted, told and made up for by one run", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  await (await triggers.start("schedule", hourly))();
  set("14:30:00");
  const stop = await triggers.start("schedule", hourly);
  await waitFor("the run", () => triggers.lines.length > 0);
  await stop();
  await (await triggers.start("schedule", hourly))();
  assert.deepEqual(shown(triggers.emissions), ["14:00 +3"]);
  assert.deepEqual(
    triggers.lines.map(({ level, text, fields }) => [level, text, fields.followedBy]),
    [["warn", "3 scheduled times have passed without a run", "one run for all of them"]],
  );
});

test("with `skip` they are counted and told, and the next time runs as usual", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  const skip = { ...hourly, missed: "skip" };
  await (await triggers.start("schedule", skip))();
  set("14:30:00");
  const stop = await triggers.start("schedule", skip);
  await waitFor("the line", () => triggers.lines.length > 0);
  await stop();
  assert.deepEqual(triggers.emissions, []);
  assert.deepEqual(triggers.lines[0]!.fields, {
    missed: 3,
    scheduledAt: "2026-03-02T14:00:00.000Z",
    followedBy: "none of them",
  });
  await liveThrough(15, triggers, set, skip);
  assert.deepEqual(shown(triggers.emissions), ["15:00 +0"]);
});

test("a clock put forward misses times as a host that is down does", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  set("11:59:59.900");
  await triggers.start("schedule", hourly);
  set("13:30:00");
  await waitFor("the run", () => triggers.emissions.length > 0);
  assert.deepEqual(shown(triggers.emissions), ["13:00 +2"]);
});

test("a clock set back repeats no time that had its run", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  await liveThrough(12, triggers, set);
  set("11:10:00");
  await (await triggers.start("schedule", hourly))();
  set("12:00:00");
  await (await triggers.start("schedule", hourly))();
  await liveThrough(13, triggers, set);
  assert.deepEqual(shown(triggers.emissions), ["12:00 +0", "13:00 +0"]);
});

test("after a clock that was days ahead has been corrected, the schedule counts from then on and says so", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  t.mock.timers.setTime(Date.parse("2031-01-01T00:30:00Z"));
  await (await triggers.start("schedule", hourly))();
  await liveThrough(12, triggers, set);
  assert.deepEqual(shown(triggers.emissions), ["12:00 +0"]);
  assert.match(triggers.lines[0]!.text, /the clock was set back/);
});

test("an interval counts from the last run, also from a late one", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  const every = { every: "1h" };
  set("11:00:00");
  await (await triggers.start("schedule", every))();
  assert.deepEqual(triggers.emissions, [], "the first run comes after the first hour");
  set("13:30:00");
  let stop = await triggers.start("schedule", every);
  await waitFor("the late run", () => triggers.lines.length > 0);
  await stop();
  set("14:29:59.900");
  stop = await triggers.start("schedule", every);
  set("14:30:00");
  await waitFor("the next run", () => triggers.emissions.length === 2);
  await stop();
  assert.deepEqual(shown(triggers.emissions), ["13:00 +2", "14:30 +0"]);
});

test("another schedule in the same place begins anew", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  await (await triggers.start("schedule", hourly))();
  set("14:30:00");
  await (await triggers.start("schedule", { ...hourly, cron: "15 * * * *" }))();
  assert.deepEqual([triggers.emissions, triggers.lines], [[], []]);
});

test("a crash after a run was accepted, before that was kept, gives the same delivery again", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  await (await triggers.start("schedule", hourly))();
  const before = (await triggers.keyValue.get("schedule/test/0"))!;
  await liveThrough(12, triggers, set);
  // What such a crash leaves behind.
  await triggers.keyValue.set("schedule/test/0", before);
  set("12:10:00");
  const stop = await triggers.start("schedule", hourly);
  await waitFor("the second emission", () => triggers.emissions.length === 2);
  await stop();
  assert.deepEqual(triggers.emissions[1]!.delivery, triggers.emissions[0]!.delivery);
});

test("a host that cannot take the run now is asked again; one that stops, or never will take it, is not", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  let asked = 0;
  triggers.refuse = () => {
    asked += 1;
    if (asked <= 2) throw new GantryError("QUEUE_FULL", "10,000 runs wait already");
  };
  await liveThrough(12, triggers, set);
  assert.equal(asked, 3);
  assert.deepEqual(
    triggers.lines.map(({ text, fields }) => [text, fields.code]),
    [
      ["no run can start now: 10,000 runs wait already", "QUEUE_FULL"],
      ["no run can start now: 10,000 runs wait already", "QUEUE_FULL"],
    ],
  );

  triggers.lines.length = 0;
  triggers.refuse = () => {
    throw new GantryError("INPUT_INVALID", "`deviceId` is missing");
  };
  set("12:59:59.900");
  let stop = await triggers.start("schedule", hourly);
  set("13:00:00");
  await waitFor("the refusal", () => triggers.lines.length > 0);
  await stop();
  assert.match(triggers.lines[0]!.text, /no run starts: `deviceId` is missing/);
  assert.equal(typeof triggers.lines[0]!.fields.remedy, "string");

  triggers.refuse = () => {
    throw new GantryError("HOST_STOPPING", "the host is stopping");
  };
  set("14:10:00");
  stop = await triggers.start("schedule", hourly);
  await stop();
  triggers.refuse = undefined;
  stop = await triggers.start("schedule", hourly);
  await waitFor("the run", () => triggers.emissions.length === 2);
  await stop();
  assert.deepEqual(shown(triggers.emissions), ["12:00 +0", "14:00 +1"]);
});

test("jitter moves the run and not the time it is for", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  const jittered = { ...hourly, jitter: "10m" };
  await (await triggers.start("schedule", jittered))();
  set("12:00:00");
  await (await triggers.start("schedule", jittered))();
  assert.deepEqual(triggers.emissions, []);
  set("12:10:00");
  const stop = await triggers.start("schedule", jittered);
  await waitFor("the run", () => triggers.emissions.length > 0);
  await stop();
  assert.deepEqual(shown(triggers.emissions), ["12:00 +1"]);
});

test("a schedule whose time never comes says so", async (t) => {
  const triggers = await hostTriggers(t);
  await triggers.start("schedule", { cron: "0 0 31 2 *" });
  await waitFor("the line", () => triggers.lines.some(({ text }) => text === "the schedule has no further time"));
});

test("it goes on where the store cannot keep what was run", async (t) => {
  const set = clock(t);
  const triggers = await hostTriggers(t);
  await (await triggers.start("schedule", hourly))();
  const { keyValue } = triggers;
  triggers.keyValue = {
    ...keyValue,
    get: (key) => keyValue.get(key),
    set: () => Promise.reject(new GantryError("STORE_FAILED", "no space left")),
  };
  await liveThrough(12, triggers, set);
  assert.deepEqual(shown(triggers.emissions), ["12:00 +0"]);
  assert.match(triggers.lines.at(-1)!.text, /cannot be kept/);
});
