// Schedules in real hosts that are killed: each time has one run at most, and what was missed is told.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStoreForReading } from "../../host/store/open.ts";
import type { Run } from "../../host/store/store.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";

const killer = fileURLToPath(new URL("../crash/killer.ts", import.meta.url));

async function withSchedule(settings: object, work: (folder: HostFolder) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "gantry-schedule-"));
  const workflow = { name: "tick", on: [{ trigger: "host/schedule", with: settings }], steps: [] };
  try {
    await work(await makeHostFolder(root, { workflows: ["./workflows"], plugins: [] }, { tick: workflow }));
  } finally {
    await rm(root, { recursive: true });
  }
}

/** Oldest first. */
async function runsOf(folder: HostFolder): Promise<Run[]> {
  const reading = openStoreForReading(folder.data);
  const runs = reading.runs.list({ limit: 1000 });
  await reading.close();
  return runs.reverse();
}

const accepted = (host: HostProcess) => host.log.split('"run accepted"').length - 1;

/** The times that have runs, in epoch milliseconds, and how many were missed. */
function summary(runs: Run[]) {
  const events = runs.map(({ event }) => event as { scheduledAt: string; missed: number });
  return {
    times: events.map(({ scheduledAt }) => Date.parse(scheduledAt)),
    missed: events.map(({ missed }) => missed),
  };
}

test("a schedule with seconds gives a run a second, through stop and start", { timeout: 60_000 }, async () => {
  await withSchedule({ cron: "* * * * * *" }, async (folder) => {
    for (const wanted of [3, 2]) {
      const host = new HostProcess(folder);
      await host.ready();
      await waitFor(`${wanted} runs`, () => accepted(host) >= wanted);
      assert.equal(await host.stop(), 0);
    }
    const runs = await runsOf(folder);
    assert.ok(runs.every(({ status }) => status === "succeeded"));
    const { times, missed } = summary(runs);
    for (const [index, time] of times.entries()) {
      if (index === 0) continue;
      // Each second between two runs is one that counts as missed; a late run counts itself as well.
      const between = (time - times[index - 1]!) / 1000 - 1;
      assert.ok([between, between + 1].includes(missed[index]!), `${missed[index]} missed, ${between} between`);
    }
  });
});

test("an interval gives runs that lie at least so far apart", { timeout: 60_000 }, async () => {
  await withSchedule({ every: "700ms" }, async (folder) => {
    const host = new HostProcess(folder);
    await host.ready();
    await waitFor("3 runs", () => accepted(host) >= 3);
    await host.stop();
    const { times } = summary(await runsOf(folder));
    for (const [index, time] of times.slice(1).entries()) assert.ok(time - times[index]! >= 700);
  });
});

test("a host killed as soon as a run is accepted does not run that time again", { timeout: 120_000 }, async () => {
  // So far apart that the next host is up before the next time comes.
  await withSchedule({ cron: "*/4 * * * * *" }, async (folder) => {
    for (const run of ["1", "2"]) {
      const host = new HostProcess(folder);
      await host.ready();
      spawn(process.execPath, [killer, join(folder.data, "gantry.db"), String(host.pid), "1", run], {
        stdio: "ignore",
      });
      await host.gone();
      assert.equal(host.child.signalCode, "SIGKILL");
    }
    const host = new HostProcess(folder);
    await host.ready();
    await waitFor("a run of its own", () => /"run (accepted|succeeded)"/.test(host.log));
    await host.stop();
    const runs = await runsOf(folder);
    assert.ok(runs.every(({ status }) => status === "succeeded"));
    const { times } = summary(runs);
    assert.ok(times.length >= 2);
    assert.equal(new Set(times).size, times.length);
  });
});

test("with `skip` no run stands for times at which no host was there", { timeout: 60_000 }, async () => {
  await withSchedule({ cron: "*/2 * * * * *", missed: "skip" }, async (folder) => {
    const first = new HostProcess(folder);
    await first.ready();
    await waitFor("a run", () => accepted(first) >= 1);
    await first.kill();
    const killedAt = Date.now();
    await waitFor("two missed times", () => Math.floor(Date.now() / 2000) >= Math.floor(killedAt / 2000) + 2);
    const startedAt = Date.now();
    const second = new HostProcess(folder);
    await second.ready();
    await waitFor("a run", () => accepted(second) >= 1);
    await second.stop();
    const told = second.lines().find(({ followedBy }) => followedBy === "none of them");
    assert.ok((told!.missed as number) >= 2);
    const { times } = summary(await runsOf(folder));
    assert.deepEqual(
      times.filter((time) => time > killedAt && time <= startedAt),
      [],
    );
  });
});
