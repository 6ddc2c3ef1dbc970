// Signals: what comes from outside while runs go on, whenever it comes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Signal, Signals } from "../../host/engine/signals.ts";
import { act, Bench, type Document, fails, hold, Stage } from "./bench.ts";

const waitFor = (name: string) => ({ id: "w", uses: "host/wait", with: { for: name } });
const waits: Document = {
  steps: [waitFor("go"), act("heard ${{ steps.w.outputs.value }}")],
  outputs: "${{ steps.w.outputs.value }}",
};

async function withStage(work: (bench: Bench, stage: Stage) => Promise<void>, options = {}): Promise<void> {
  const stage = new Stage();
  await Bench.with(stage.steps, (bench) => work(bench, stage), options);
}

describe("a signal ends a wait for it", () => {
  test("that is there already", () =>
    withStage(async (bench) => {
      const id = await bench.accept(waits);
      await bench.untilStatus(id, "waiting");
      assert.deepEqual(await bench.signal("go", { approved: true }), { received: true, queued: 0 });
      assert.deepEqual((await bench.engine.waitFor(id)).output, { approved: true });
    }));

  test("that begins less than a minute after it", () =>
    withStage(async (bench) => {
      assert.deepEqual(await bench.signal("go", "early"), { received: false, queued: 0 });
      assert.equal((await bench.run(waits)).output, "early");
    }));

  test("that begins in another life of the host", () =>
    withStage(async (bench) => {
      await bench.signal("go", "early");
      await bench.restart();
      assert.equal((await bench.run(waits)).output, "early");
    }));

  test("in every run that waits for it, and in each place of a run at once", () =>
    withStage(async (bench) => {
      const both: Document = {
        steps: [{ parallel: [[waitFor("go")], [{ ...waitFor("go"), id: "x" }]] }, act("after")],
      };
      const runs = [await bench.accept(both), await bench.accept(waits)];
      for (const id of runs) await bench.untilStatus(id, "waiting");
      await bench.signal("go", 1);
      for (const id of runs) assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    }));

  test("once: the next wait for the same name takes the next signal", () =>
    withStage(async (bench, stage) => {
      const id = await bench.accept({
        steps: [waitFor("go"), hold("between"), { ...waitFor("go"), id: "x" }],
        outputs: { w: "${{ steps.w.outputs.value }}", x: "${{ steps.x.outputs.value }}" },
      });
      await bench.untilStatus(id, "waiting");
      await bench.signal("go", 1, "first");
      await stage.let("between");
      await bench.untilStatus(id, "waiting");
      // What sent it was repeated, say after a crash: it is the same signal.
      assert.deepEqual(await bench.signal("go", 1, "first"), { received: true, queued: 0 });
      await bench.restart();
      await bench.signal("go", 1, "first");
      assert.equal(bench.stored(id).status, "waiting");
      await bench.signal("go", 2, "second");
      assert.deepEqual((await bench.engine.waitFor(id)).output, { w: 1, x: 2 });
    }));

  test("only of its own name", () =>
    withStage(async (bench) => {
      const id = await bench.accept(waits);
      await bench.untilStatus(id, "waiting");
      assert.deepEqual(await bench.signal("stop"), { received: false, queued: 0 });
      assert.equal(bench.stored(id).status, "waiting");
      await bench.signal("go");
      assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    }));
});

test("a wait that nobody ends ends by its timeout, and its failure is undone and handled like any other", () =>
  withStage(async (bench, stage) => {
    const ended = await bench.run({
      steps: [
        { ...act("one"), undo: act("undo one") },
        { ...waitFor("go"), timeout: "30ms" },
      ],
      onFailure: [act("${{ error.code }} ${{ error.step }}")],
    });
    assert.equal(ended.error?.code, "STEP_TIMEOUT");
    assert.deepEqual(stage.told, ["one", "undo one", "STEP_TIMEOUT w"]);
  }));

test("a signal that came when the run had not been taken up again is not lost", () =>
  withStage(async (bench) => {
    const id = await bench.accept(waits);
    await bench.untilStatus(id, "waiting");
    await bench.engine.stop();
    // It is stored, and the host ends before any run could hear of it.
    await bench.store.signals.put({ id: "s", name: "go", value: "kept", at: Date.now() }, 0);
    await bench.restart();
    assert.equal((await bench.engine.waitFor(id)).output, "kept");
  }));

describe("abortOn", () => {
  const abortable: Document = {
    abortOn: "stop ${{ inputs.name }}",
    steps: [{ ...act("one"), undo: act("undo one") }, { ...hold("two"), undo: act("undo two") }, act("never")],
    onFailure: [act("${{ error.code }} ${{ error.details.value }}")],
    finally: [act("finally")],
  };

  test("ends a run that is under way, with its clean-up and what the signal said", () =>
    withStage(async (bench, stage) => {
      const id = await bench.accept(abortable, { name: "a" });
      await stage.until("begun two");
      assert.deepEqual(await bench.signal("stop b"), { received: false, queued: 0 });
      assert.deepEqual(await bench.signal("stop a", "enough"), { received: true, queued: 0 });
      const ended = await bench.engine.waitFor(id);
      assert.equal(ended.status, "failed");
      assert.deepEqual(ended.error?.details, { signal: "stop a", value: "enough" });
      assert.deepEqual(stage.told, [
        "one",
        "begun two",
        "aborted two",
        "undo two",
        "undo one",
        "ABORTED enough",
        "finally",
      ]);
    }));

  test("ends a queued run, which never begins", () =>
    withStage(
      async (bench, stage) => {
        await bench.accept({ steps: [hold("before")] });
        const id = await bench.accept(abortable, { name: "a" });
        assert.deepEqual(await bench.signal("stop a", "enough"), { received: true, queued: 1 });
        const ended = await bench.engine.waitFor(id);
        assert.equal(ended.status, "failed");
        assert.equal(ended.error?.code, "ABORTED");
        assert.deepEqual(ended.error?.details, { signal: "stop a", value: "enough" });
        await stage.let("before");
        assert.deepEqual(stage.told, ["begun before", "ended before"]);
      },
      { maxOpen: 1 },
    ));

  test("ends a queued run also when the signal was stored just before the host ended", () =>
    withStage(
      async (bench, stage) => {
        await bench.accept({ steps: [hold("before")] });
        const id = await bench.accept(abortable, { name: "a" });
        await stage.until("begun before");
        await bench.engine.stop();
        await bench.store.signals.put({ id: "s", name: "stop a", value: "enough", at: Date.now() }, 0);
        stage.told.length = 0;
        await bench.restart();
        assert.equal((await bench.engine.waitFor(id)).error?.code, "ABORTED");
        await stage.let("before");
        assert.deepEqual(stage.told, ["begun before", "ended before"]);
      },
      { maxOpen: 1 },
    ));

  test("of a block ends that block; one that came before the run began ends nothing", () =>
    withStage(async (bench, stage) => {
      await bench.signal("stop", "too early");
      const id = await bench.accept({
        steps: [{ abortOn: "stop", continueOnError: true, steps: [hold("inner"), act("never")] }, act("after")],
      });
      await stage.until("begun inner");
      assert.equal(bench.stored(id).status, "running");
      await bench.signal("stop", "now");
      const ended = await bench.engine.waitFor(id);
      assert.equal(ended.status, "succeeded");
      assert.deepEqual(stage.told, ["begun inner", "aborted inner", "after"]);
    }));

  test("changes nothing once the steps of a run have ended well, whatever else was aborted in it", () =>
    withStage(async (bench, stage) => {
      const id = await bench.accept({
        abortOn: "stop",
        steps: [
          { ...act("one"), undo: act("undo one") },
          { abortOn: "stop block", continueOnError: true, steps: [hold("inner")] },
        ],
        finally: [hold("finally")],
      });
      await stage.until("begun inner");
      await bench.signal("stop block");
      await stage.until("begun finally");
      await bench.signal("stop");
      await stage.let("finally");
      assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
      assert.ok(!stage.told.includes("undo one"));
    }));

  test("in one run with a wait for the same name: both hear of it", () =>
    withStage(async (bench, stage) => {
      const id = await bench.accept({
        steps: [
          { abortOn: "stop", continueOnError: true, steps: [waitFor("stop"), fails("never")], finally: [act("f")] },
          act("after"),
        ],
      });
      await bench.untilStatus(id, "waiting");
      await bench.signal("stop");
      assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
      assert.deepEqual(stage.told, ["f", "after"]);
    }));
});

test("what is long over is forgotten, on disk too, also when the clock was set back meanwhile", async (t) => {
  const kept: Signal[] = [];
  const store = {
    async put(signal: Signal, forgetBefore: number) {
      kept.splice(0, kept.length, ...kept.filter(({ at }) => at >= forgetBefore), signal);
      return "stored" as const;
    },
    since: () => [...kept],
  };
  let now = Date.parse("2026-01-01T00:00:00Z");
  t.mock.method(Date, "now", () => now);
  const signals = new Signals(store);
  const say = (id: string) => signals.send({ id, name: "go", value: null });
  const known = () => signals.recent("go", 0).map(({ id }) => id);
  await say("a");
  now += 59_000;
  await say("b");
  assert.deepEqual(known(), ["a", "b"]);
  now += 2_000;
  await say("c");
  assert.deepEqual(known(), ["b", "c"]);
  assert.deepEqual(
    kept.map(({ id }) => id),
    ["b", "c"],
  );
  now -= 24 * 3_600_000;
  await say("d");
  assert.deepEqual(known(), ["d"]);
});
