// What runs do on a disk that is full: they wait, say so with a code, and go on by themselves when there is room.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Json } from "../../host/sdk.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { fillUp, mountSmallDisk } from "../store/small-disk.ts";
import { act, Bench, type Document, hold, Stage } from "./bench.ts";

const document = (step: string): Document => ({
  concurrency: { group: "g", whenBusy: "queue" },
  steps: [hold(step), act(`${step} after`)],
});

async function onSmallDisk(t: TestContext, work: (bench: Bench, stage: Stage, disk: string) => Promise<void>) {
  const disk = mountSmallDisk(t, 4);
  if (disk === undefined) return t.skip("mounting needs root");
  const stage = new Stage();
  await Bench.with(stage.steps, (bench) => work(bench, stage, disk), { directory: join(disk, "data") });
}

/** Until the engine has been refused a write since then. */
const refused = (bench: Bench, run: string, since: number) =>
  waitFor(`a refused write\n${bench.log}`, () =>
    bench.log
      .slice(since)
      .split("\n")
      .some((line) => line.includes(run) && line.includes('"code":"STORE_FULL"') && line.includes("the run waits")),
  );

test("a run under way waits for room before its next step", (t) =>
  onSmallDisk(t, async (bench, stage, disk) => {
    const run = await bench.accept(document("one"));
    const free = fillUp(disk, 0);
    const since = bench.log.length;
    await stage.let("one");
    await refused(bench, run, since);
    assert.ok(!stage.told.includes("one after"), "it went on before its result was on disk");
    free();
    assert.equal((await bench.engine.waitFor(run)).status, "succeeded");
    assert.deepEqual(stage.told, ["begun one", "ended one", "one after"]);
  }));

test("runs that a start on a full disk finds are taken up when there is room, in their order", (t) =>
  onSmallDisk(t, async (bench, stage, disk) => {
    const first = await bench.accept(document("one"));
    const second = await bench.accept(document("two"));
    await stage.until("begun one");
    const free = fillUp(disk, 0);
    const since = bench.log.length;
    await bench.restart();
    await refused(bench, first, since);
    free();
    await stage.until("begun one");
    await waitFor("the first one once more", () => stage.told.filter((told) => told === "begun one").length === 2);
    await stage.let("one");
    await stage.let("two");
    for (const run of [first, second]) assert.equal((await bench.engine.waitFor(run)).status, "succeeded");
    assert.ok(stage.told.indexOf("one after") < stage.told.indexOf("begun two"));
  }));

test("a queued run that is cancelled on a full disk, twice, has ended when there is room, and never begins", (t) =>
  onSmallDisk(t, async (bench, stage, disk) => {
    const first = await bench.accept(document("one"));
    const second = await bench.accept(document("two"));
    const third = await bench.accept(document("three"));
    await stage.until("begun one");
    const free = fillUp(disk, 0);
    const since = bench.log.length;
    const cancelled = Promise.all([bench.engine.cancel(second), bench.engine.cancel(second)]);
    await refused(bench, second, since);
    free();
    assert.deepEqual(
      (await cancelled).map(({ status }) => status),
      ["cancelled", "cancelled"],
    );
    await stage.let("one");
    await stage.let("three");
    for (const run of [first, third]) assert.equal((await bench.engine.waitFor(run)).status, "succeeded");
    assert.ok(!stage.told.includes("begun two"));
  }));

/** With outputs large enough that each write takes pages of its own, and everything that writes at other moments. */
const large = (name: string) => ({ uses: "t/large", with: { name } });
const everything: Document = {
  steps: [
    { ...large("one"), undo: large("undo one") },
    { parallel: [[large("left")], [large("right"), { uses: "host/wait", with: { duration: "1ms" } }]] },
    { forEach: [1, 2, 3], as: "n", steps: [large("item ${{ n }}")], finally: [large("tidied ${{ n }}")] },
    { ...large("fails"), retry: { retries: 1, delay: "1ms" }, with: { name: "fails", fail: true } },
  ],
  onFailure: [large("handled")],
  finally: [large("finally")],
};
const acted = ["one", "left", "right", "item 1", "item 2", "item 3", "tidied 1", "tidied 2", "tidied 3"];
const cleaned = ["fails", "fails", "undo one", "handled", "finally"];

test("wherever in a run the disk becomes full, it ends as if there had been room, and nothing acts twice", async (t) => {
  const disk = mountSmallDisk(t, 4);
  if (disk === undefined) return t.skip("mounting needs root");
  const told: string[] = [];
  const act = async (input: Json) => {
    const { name, fail } = input as { name: string; fail?: boolean };
    told.push(name);
    if (fail) throw Object.assign(new Error("it fails"), { retryable: true });
    return { text: name.repeat(1_000) };
  };
  let stopped = 0;
  for (let leaving = 0; leaving <= 240_000; leaving += 12_000)
    await Bench.with(
      { "t/large": act },
      async (bench) => {
        told.length = 0;
        await bench.accept({ steps: [] });
        const free = fillUp(disk, leaving);
        const isRefused = () => bench.log.includes("the journal cannot be written; the run waits");
        const run = await bench.accept(everything).catch((error) => {
          assert.equal(error.code, "STORE_FULL");
          free();
          return bench.accept(everything);
        });
        await waitFor("its end or a refused write", () => isRefused() || bench.stored(run).endedAt !== null);
        if (isRefused()) stopped += 1;
        free();
        const { status, error } = await bench.engine.waitFor(run);
        assert.deepEqual([status, error?.code], ["failed", "STEP_FAILED"]);
        assert.deepEqual(told.toSorted(), [...acted, ...cleaned].toSorted(), `with ${leaving} bytes left`);
        assert.deepEqual(told.slice(acted.length), cleaned);
      },
      { directory: join(disk, `data-${leaving}`) },
    );
  assert.ok(stopped >= 5, `only ${stopped} runs were stopped midway`);
});
