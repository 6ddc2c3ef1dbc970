// Schedules in real hosts that are killed: each time has one run at most, and what was missed is told.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startTestHost, type TestHost, waitFor } from "gantry/testing";

const killer = fileURLToPath(new URL("../crash/killer.ts", import.meta.url));

const startHost = (settings: object) =>
  startTestHost({
    workflows: { tick: { on: [{ trigger: "host/schedule", with: settings }], steps: [] } },
    process: true,
  });

/** The times that have runs, in epoch milliseconds, and how many were missed. */
function summary(host: TestHost) {
  const events = host.runs().map(({ event }) => event as { scheduledAt: string; missed: number });
  return {
    times: events.map(({ scheduledAt }) => Date.parse(scheduledAt)),
    missed: events.map(({ missed }) => missed),
  };
}

test("a schedule with seconds gives a run a second, through stop and start", { timeout: 60_000 }, async () => {
  await using host = await startHost({ cron: "* * * * * *" });
  await waitFor("3 runs", () => host.runs().length >= 3);
  await host.stop();
  await host.resume();
  const before = host.runs().length;
  await waitFor("2 runs more", () => host.runs().length >= before + 2);
  await host.stop();
  assert.ok(host.runs().every(({ status }) => status === "succeeded"));
  const { times, missed } = summary(host);
  for (const [index, time] of times.entries()) {
    if (index === 0) continue;
    // Each second between two runs is one that counts as missed; a late run counts itself as well.
    const between = (time - times[index - 1]!) / 1000 - 1;
    assert.ok([between, between + 1].includes(missed[index]!), `${missed[index]} missed, ${between} between`);
  }
});

test("an interval gives runs that lie at least so far apart", { timeout: 60_000 }, async () => {
  await using host = await startHost({ every: "700ms" });
  await waitFor("3 runs", () => host.runs().length >= 3);
  const { times } = summary(host);
  for (const [index, time] of times.slice(1).entries()) assert.ok(time - times[index]! >= 700);
});

test("a host killed as soon as a run is accepted does not run that time again", { timeout: 120_000 }, async () => {
  // So far apart that the next host is up before the next time comes.
  await using host = await startHost({ cron: "*/4 * * * * *" });
  for (const run of ["1", "2"]) {
    spawn(process.execPath, [killer, join(host.data, "gantry.db"), String(host.pid), "1", run], { stdio: "ignore" });
    await host.gone();
    await host.resume();
  }
  const before = host.runs().length;
  await waitFor("a run of its own", () => host.runs().length > before);
  await host.stop();
  assert.ok(host.runs().every(({ status }) => status === "succeeded"));
  const { times } = summary(host);
  assert.equal(new Set(times).size, times.length);
});

test("with `skip` no run stands for times at which no host was there", { timeout: 60_000 }, async () => {
  await using host = await startHost({ every: "10m", missed: "skip" });
  await host.clock.advance("10m");
  await host.nextRun("tick");
  await host.kill();
  await host.clock.advance("45m");
  await host.resume();
  const told = await waitFor("word of it", () => host.log.find(({ followedBy }) => followedBy === "none of them"));
  // Killed before it had noted the run as dealt with, it counts that one, too.
  assert.ok([4, 5].includes(told.missed as number), `${told.missed}`);
  assert.equal(host.runs().length, 1);
  await host.clock.advance("10m");
  assert.equal((await host.nextRun("tick")).event.missed, 0);
});
