// What an undo belongs to, where workflows call workflows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { act, Bench, fails, Stage } from "./bench.ts";

test("a workflow called while cleaning up is left alone: only its own failure undoes what it did", async () => {
  const stage = new Stage();
  await Bench.with(stage.steps, async (bench) => {
    const mend = { steps: [{ ...act("mend"), undo: act("undo mend") }, act("mended")] };
    const tryToMend = { steps: [{ ...act("try"), undo: act("undo try") }, fails("tried")] };
    const main = {
      steps: [
        // A block's `finally` is never undone either, whatever fails later.
        { steps: [act("inner")], finally: [{ uses: "workflow:mend" }] },
        { ...act("one"), undo: act("undo one") },
        fails("fails"),
      ],
      onFailure: [{ uses: "workflow:mend" }, { uses: "workflow:tryToMend", continueOnError: true }, act("handled")],
      finally: [{ uses: "workflow:mend" }],
    };
    assert.equal((await bench.run(main, {}, { mend, tryToMend })).status, "failed");
    const expected =
      "inner, mend, mended, one, fails, undo one, mend, mended, try, tried, undo try, handled, mend, mended";
    assert.equal(stage.told.join(", "), expected);
  });
});

test("a called workflow with an undo of its own is undone by that; one without is undone step by step", async () => {
  const stage = new Stage();
  await Bench.with(stage.steps, async (bench) => {
    const called = {
      steps: [
        { ...act("first"), undo: act("undo first") },
        { ...act("second"), undo: act("undo second") },
      ],
      outputs: { did: "${{ inputs.name }}" },
    };
    const main = {
      steps: [
        { uses: "workflow:called", with: { name: "a" } },
        {
          id: "whole",
          uses: "workflow:called",
          with: { name: "b" },
          undo: act("undo whole ${{ steps.whole.outputs.did }} ${{ error.step }}"),
        },
        { id: "f", ...fails("fails") },
      ],
    };
    assert.equal((await bench.run(main, {}, { called })).status, "failed");
    const expected = "first, second, first, second, fails, undo whole b f, undo second, undo first";
    assert.equal(stage.told.join(", "), expected);
  });
});

test("an undo sees the values from before its step, its own outputs, and null for them where it failed midway", async () => {
  const stage = new Stage();
  const count = { n: 0 };
  const steps = { ...stage.steps, "t/count": async () => ({ n: ++count.n }) };
  await Bench.with(steps, async (bench) => {
    const undo = act("undo ${{ n }} before=${{ steps.before.outputs.n }} own=${{ toJSON(steps.own.outputs) }}");
    await bench.run({
      steps: [
        { id: "before", uses: "t/count" },
        { forEach: ["a", "b"], as: "n", steps: [{ id: "own", uses: "t/count", undo }] },
        { forEach: ["c"], as: "n", steps: [{ id: "own", ...fails("fails"), undo }] },
      ],
    });
    assert.deepEqual(stage.told, [
      "fails",
      "undo c before=1 own=null",
      'undo b before=1 own={"n":3}',
      'undo a before=1 own={"n":2}',
    ]);
  });
});

test("an undo that fails, and fails again, does not keep the others from being undone", async () => {
  const stage = new Stage();
  await Bench.with(stage.steps, async (bench) => {
    const ended = await bench.run({
      steps: [
        { ...act("one"), undo: act("undo one") },
        { ...act("two"), undo: { ...fails("undo two"), retry: { retries: 1, delay: "1ms" } } },
        { ...act("three"), undo: act("${{ add(inputs.missing, 1) }}") },
        fails("fails"),
      ],
      onFailure: [act("handled")],
    });
    assert.equal(ended.error?.code, "STEP_FAILED");
    assert.deepEqual(stage.told, ["one", "two", "three", "fails", "undo two", "undo two", "undo one", "handled"]);
  });
});
