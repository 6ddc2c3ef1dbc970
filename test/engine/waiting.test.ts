// What a run waits for: times of day, durations, and its share of the line.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { act, Bench, fails, hold, Stage, type Work } from "./bench.ts";

const before = process.env.TZ;
afterEach(() => {
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});

// Longer than an hour, so that a test may begin just before its end.
const noon = { from: "12:00", to: "14:00" };

/** Puts the process into a zone where it is between noon and one, or so many hours later. */
function beAfterNoon(hoursLater: number): void {
  const hours = (12 + hoursLater - new Date().getUTCHours() + 24) % 24;
  const east = hours > 14 ? hours - 24 : hours;
  // The names count hours west of Greenwich.
  process.env.TZ = `Etc/GMT${east <= 0 ? "+" : "-"}${Math.abs(east)}`;
  assert.equal(new Date().getHours(), 12 + hoursLater);
}

async function withStage(work: (bench: Bench, stage: Stage) => Promise<void>, options = {}): Promise<void> {
  const stage = new Stage();
  await Bench.with(stage.steps, (bench) => work(bench, stage), options);
}

describe("a time window", () => {
  test("holds back every step until it opens", () =>
    withStage(async (bench, stage) => {
      beAfterNoon(3);
      const id = await bench.accept({ window: noon, steps: [{ steps: [act("one")] }, act("two")] });
      await bench.untilStatus(id, "waiting");
      assert.deepEqual(stage.told, []);
      assert.equal(bench.journal(id).filter(({ kind }) => kind === "running").length, 0);
      beAfterNoon(0);
      await bench.restart();
      assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
      assert.deepEqual(stage.told, ["one", "two"]);
    }));

  test("lets a step that is running go on when it closes, and holds the next one", () =>
    withStage(async (bench, stage) => {
      beAfterNoon(0);
      const document = { window: noon, steps: [hold("one"), act("two")], finally: [act("finally")] };
      const id = await bench.accept(document);
      await stage.until("begun one");
      beAfterNoon(3);
      await stage.let("one");
      await bench.untilStatus(id, "waiting");
      assert.deepEqual(stage.told, ["begun one", "ended one"]);
      beAfterNoon(0);
      await bench.restart();
      assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    }));

  test("does not hold back undoing and cleaning up", () =>
    withStage(async (bench, stage) => {
      beAfterNoon(0);
      const id = await bench.accept({
        window: noon,
        steps: [{ ...act("one"), undo: act("undo one") }, hold("two")],
        onFailure: [act("handled")],
        finally: [act("finally")],
      });
      await stage.until("begun two");
      beAfterNoon(3);
      await bench.engine.cancel(id);
      assert.equal((await bench.engine.waitFor(id)).status, "cancelled");
      assert.deepEqual(stage.told, ["one", "begun two", "aborted two", "undo one", "handled", "finally"]);
    }));

  test("does not keep a run that waits for it from being cancelled", () =>
    withStage(async (bench, stage) => {
      beAfterNoon(3);
      const id = await bench.accept({ window: noon, steps: [act("one")], finally: [act("finally")] });
      await bench.untilStatus(id, "waiting");
      await bench.engine.cancel(id);
      assert.equal((await bench.engine.waitFor(id)).status, "cancelled");
      assert.deepEqual(stage.told, ["finally"]);
    }));

  test("whose times are none fails the run", () =>
    withStage(async (bench) => {
      const window = { from: "${{ inputs.from }}", to: "25:00" };
      const ended = await bench.run({ window, steps: [] }, { from: "9" });
      assert.equal(ended.error?.code, "EXPRESSION_FAILED");
    }));
});

describe("host/wait", () => {
  const wait = (input: object, more = {}) => ({ uses: "host/wait", with: input as Record<string, unknown>, ...more });

  test("waits as long as it is told to, once, also over restarts", () =>
    withStage(async (bench, stage) => {
      const id = await bench.accept({ steps: [wait({ duration: "300ms" }), act("after")] });
      const [record] = bench.journal(id).filter(({ kind }) => kind === "waiting");
      const { until } = record!.data as { until: number };
      assert.ok(until >= bench.stored(id).acceptedAt + 300);
      await bench.restart();
      assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
      const end = bench.journal(id).find(({ kind }) => kind === "succeeded");
      assert.ok(end!.at >= until, "it ended early");
      assert.equal(bench.journal(id).filter(({ kind }) => kind === "waiting").length, 1);
      assert.deepEqual(stage.told, ["after"]);
    }));

  test("waits until a window opens, and not at all while it is open", () =>
    withStage(async (bench, stage) => {
      beAfterNoon(0);
      assert.equal((await bench.run({ steps: [wait({ until: noon })] })).status, "succeeded");
      beAfterNoon(3);
      const id = await bench.accept({ steps: [wait({ until: noon }), act("after")] });
      await bench.untilStatus(id, "waiting");
      const { data } = bench.journal(id).find(({ kind }) => kind === "waiting")!;
      const opening = new Date((data as { until: number }).until);
      assert.deepEqual([opening.getHours(), opening.getMinutes()], [12, 0]);
      assert.deepEqual(stage.told, []);
    }));

  for (const input of [{}, { duration: "1s", for: "go" }, { duration: "long" }, { until: "noon" }, { for: "" }])
    test(`${JSON.stringify(input)} fails as what it is`, () =>
      withStage(async (bench) => {
        const ended = await bench.run({ steps: [wait(input)] });
        assert.match(ended.error!.code, /^(?:INPUT_INVALID|EXPRESSION_FAILED)$/);
      }));
});

test("a run between two attempts waits with its deadline in the journal; a restart neither shortens nor repeats it", () =>
  withStage(async (bench, stage) => {
    const step = { ...fails("try"), retry: { retries: 1, delay: "400ms" } };
    const id = await bench.accept({ steps: [step] });
    await bench.untilStatus(id, "waiting");
    const { data } = bench.journal(id).find(({ kind }) => kind === "retry")!;
    await bench.restart();
    assert.equal((await bench.engine.waitFor(id)).status, "failed");
    const attempts = bench.journal(id).filter(({ kind }) => kind === "running");
    assert.equal(attempts.length, 2);
    assert.ok(attempts[1]!.at >= (data as { at: number }).at);
    assert.deepEqual(stage.told, ["try", "try"]);
  }));

test("limits are shared by all transfers of a run, and a cancel does not wait for them", async () => {
  const passed: number[] = [];
  const transfer: Work = async (input, { throttle }) => {
    for (let block = 0; block < (input as { blocks: number }).blocks; block++) {
      await throttle(1000);
      passed.push(performance.now());
    }
  };
  await Bench.with({ "t/transfer": transfer }, async (bench) => {
    const step = (blocks: number) => ({ uses: "t/transfer", with: { blocks } });
    const limits = { bytesPerSecond: "${{ inputs.rate }}" as unknown as number };
    const begun = performance.now();
    const parallel = [[step(5)], [step(5)]] as [never, never];
    await bench.run({ limits, steps: [{ parallel }] }, { rate: 50_000 });
    assert.equal(passed.length, 10);
    // The first block passes at once; each of the other nine after the 20 ms of the one before.
    assert.ok(passed.at(-1)! - begun >= 9 * 20 - 5, `ten blocks in ${passed.at(-1)! - begun} ms`);
    const id = await bench.accept({ limits, steps: [step(1000)] }, { rate: 1 });
    await sleep(20);
    await bench.engine.cancel(id);
    assert.equal((await bench.engine.waitFor(id)).status, "cancelled");
  });
});

describe("requires", () => {
  const requirements: [name: string, requires: object, unmet: RegExp | undefined][] = [
    ["a range of Gantry", { host: ">=99" }, /Gantry >=99/],
    ["a plugin that is not there", { plugins: { ghost: "*" } }, /ghost \* \(it is not active\)/],
    ["a plugin of another version", { plugins: { lamp: ">=2" } }, /lamp >=2 \(there is 1\.2\.3\)/],
    ["a property of the device", { device: { deviceId: "other" } }, /deviceId to be "other"/],
    ["more disk than there is", { freeDiskBytes: 1e18 }, /1000000000000000000 free bytes/],
    [
      "what holds",
      {
        host: ">=0.1.0-0",
        plugins: { lamp: "^1.2.0" },
        device: { deviceId: "it" },
        freeDiskBytes: "${{ inputs.bytes }}",
      },
      undefined,
    ],
  ];
  for (const [name, requires, unmet] of requirements)
    test(`${name} ${unmet === undefined ? "lets the run begin" : "refuses the run, which is there as rejected"}`, () =>
      withStage(
        async (bench, stage) => {
          const accepted = bench.accept({ requires, steps: [act("one")] }, { bytes: 1 });
          if (unmet === undefined) {
            assert.equal((await bench.engine.waitFor(await accepted)).status, "succeeded");
            return;
          }
          await assert.rejects(accepted, { code: "REQUIREMENT_UNMET", message: unmet });
          assert.equal(bench.store.runs.list({ status: ["rejected"] }).length, 1);
          assert.deepEqual(stage.told, []);
        },
        {
          pluginVersion: (plugin: string) => (plugin === "lamp" ? "1.2.3" : undefined),
          contexts: () => ({ config: {}, device: { deviceId: "it" } }),
        },
      ));

  test("is looked at when a queued run's turn comes, and the group goes on", () =>
    withStage(async (bench, stage) => {
      const concurrency = { group: "g" };
      await bench.accept({ concurrency, steps: [hold("one")] });
      const id = await bench.accept({ concurrency, requires: { host: ">=99" }, steps: [] });
      const last = await bench.accept({ concurrency, steps: [act("last")] });
      await stage.let("one");
      const ended = await bench.engine.waitFor(id);
      assert.equal(ended.status, "rejected");
      assert.equal(ended.error?.code, "REQUIREMENT_UNMET");
      assert.equal((await bench.engine.waitFor(last)).status, "succeeded");
    }));
});
