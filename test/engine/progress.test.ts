// onProgress: told on the side, thinned out, never part of what a run depends on.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ProgressReports } from "../../host/engine/progress-reports.ts";
import type { Progress } from "../../host/sdk.ts";
import { Bench, type Document, fails, hold, Stage, type Work } from "./bench.ts";

const onProgress = { uses: "t/do", with: { name: "${{ progress.percent }} ${{ progress.message }}" } };

async function withLoud(work: (bench: Bench, stage: Stage) => Promise<void>, loud: Work): Promise<void> {
  const stage = new Stage();
  await Bench.with({ ...stage.steps, "t/loud": loud }, (bench) => work(bench, stage));
}

const manySteps: Work = async (_, { progress }) => {
  for (let percent = 1; percent <= 1000; percent++) {
    progress({ percent, message: "now" });
    if (percent % 100 === 0) await sleep(1);
  }
};

test("what a step reports is thinned out; the last report comes before the step ends, and nothing is journaled", () =>
  withLoud(async (bench, stage) => {
    const after = { uses: "t/do", with: { name: "after" } };
    const ended = await bench.run({ steps: [{ uses: "t/loud", onProgress }, after] });
    assert.equal(ended.status, "succeeded");
    assert.equal(stage.told[0], "1 now");
    assert.deepEqual(stage.told.slice(-2), ["1000 now", "after"]);
    assert.ok(stage.told.length < 20, `${stage.told.length - 1} reports of 1000`);
    assert.ok(!bench.journal(ended.id).some(({ path }) => path.includes("onProgress")));
    assert.equal(bench.progressEvents.length, 1000);
  }, manySteps));

test("also a step that fails has told the last it reported", () =>
  withLoud(
    async (bench, stage) => {
      const document: Document = { steps: [{ uses: "t/loud", onProgress }], onFailure: [fails("handled")] };
      await bench.run(document);
      assert.deepEqual(stage.told, ["1 now", "2 now", "handled"]);
    },
    async (_, { progress }) => {
      progress({ percent: 1, message: "now" });
      progress({ percent: 2, message: "now" });
      throw new Error("it fails");
    },
  ));

const once: Work = async (_, { progress }) => progress({ percent: 1, message: "now" });

for (const [what, step] of [
  ["that fails", fails("report")],
  ["whose input cannot be evaluated", { uses: "t/do", with: { name: "${{ add(progress.message, 1) }}" } }],
  ["that nobody knows", { uses: "t/unknown" }],
  ["that takes longer than its timeout", { ...hold("report"), timeout: "10ms" }],
] as const)
  test(`a report ${what} changes nothing, and the log tells of it`, () =>
    withLoud(async (bench) => {
      const ended = await bench.run({ steps: [{ uses: "t/loud", onProgress: step }] });
      assert.equal(ended.status, "succeeded");
      assert.match(bench.log, /progress cannot be reported/);
    }, once));

const hanging: Document = { steps: [{ uses: "t/loud", onProgress: hold("report") }, hold("after")] };

test("a report that hangs does not keep a cancel from ending the run", () =>
  withLoud(async (bench, stage) => {
    const id = await bench.accept(hanging);
    await stage.until("begun report");
    await bench.engine.cancel(id);
    assert.equal((await bench.engine.waitFor(id)).status, "cancelled");
    assert.deepEqual(stage.told, ["begun report", "aborted report"]);
  }, once));

test("a report that hangs does not keep the host from stopping, and what its step did is not lost", () =>
  withLoud(async (bench, stage) => {
    const id = await bench.accept(hanging);
    await stage.until("begun report");
    await bench.restart();
    await stage.let("after");
    assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    assert.deepEqual(stage.told, ["begun report", "aborted report", "begun after", "ended after"]);
  }, once));

describe("reports", () => {
  const report = (percent: number): Progress => ({ percent });

  test("go one at a time, the newest each time, however long one takes", async () => {
    const sent: (number | undefined)[] = [];
    let open = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const reports = new ProgressReports(async ({ percent }) => {
      open += 1;
      assert.equal(open, 1);
      sent.push(percent);
      if (sent.length === 1) await promise;
      open -= 1;
    });
    for (const percent of [1, 2, 3]) reports.report(report(percent));
    const finished = reports.finish();
    reports.report(report(4));
    resolve();
    await finished;
    assert.deepEqual(sent, [1, 3]);
  });

  test("that come after the end are none", async () => {
    const sent: (number | undefined)[] = [];
    const reports = new ProgressReports(async ({ percent }) => void sent.push(percent));
    reports.report(report(1));
    await reports.finish();
    reports.report(report(2));
    await reports.finish();
    await sleep(600);
    assert.deepEqual(sent, [1]);
  });
});
