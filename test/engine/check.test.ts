// A step's own `check`: what is so already is not done again, whenever it is asked for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "../../host/testing/wait-for.ts";
import { Bench, type Checked, type Document, type Work } from "./bench.ts";

/** A step that makes something once: in all runs it has acted as often as `acted` says. `after`: what it does then. */
function maker(after: Work = async () => {}): { step: Checked; acted: () => number } {
  let made = false;
  let acted = 0;
  return {
    acted: () => acted,
    step: {
      check: async () => (made ? { by: "check" } : undefined),
      run: async (input, context) => {
        made = true;
        acted += 1;
        await after(input, context);
        return { by: "run" };
      },
    },
  };
}

const make: Document = { steps: [{ id: "m", uses: "t/make" }], outputs: "${{ steps.m.outputs.by }}" };
const tellings = (bench: Bench) =>
  bench.stepEvents.filter(({ status }) => status !== "running").map(({ status }) => status);

test("a step acts in the first run and is unchanged in the next", async () => {
  const { step, acted } = maker();
  await Bench.with({ "t/make": step }, async (bench) => {
    assert.equal((await bench.run(make)).output, "run");
    assert.equal((await bench.run(make)).output, "check");
    assert.deepEqual([acted(), ...tellings(bench)], [1, "succeeded", "unchanged"]);
  });
});

test("what was done when the host ended is found done at the next start", async () => {
  const { step, acted } = maker(
    (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  await Bench.with({ "t/make": step }, async (bench) => {
    const run = await bench.accept(make);
    await waitFor("the step", () => acted() === 1);
    await bench.restart();
    const { status, output } = await bench.engine.waitFor(run);
    assert.deepEqual([status, output, acted()], ["succeeded", "check", 1]);
    assert.equal(tellings(bench).at(-1), "unchanged");
  });
});

test("what an attempt did before it failed is found done by the next", async () => {
  const { step, acted } = maker(async () => {
    throw Object.assign(new Error("the answer was lost"), { retryable: true });
  });
  await Bench.with({ "t/make": step }, async (bench) => {
    const document: Document = {
      ...make,
      steps: [{ id: "m", uses: "t/make", retry: { retries: 3, delay: "1ms" } }],
    };
    assert.equal((await bench.run(document)).output, "check");
    assert.equal(acted(), 1);
  });
});

test("a repetition of a failed run finds done what that did", async () => {
  const { step, acted } = maker();
  let ready = false;
  const steps = {
    "t/make": step,
    "t/may": async () => {
      if (!ready) throw new Error("not yet");
    },
  };
  await Bench.with(steps, async (bench) => {
    const document: Document = { ...make, steps: [...make.steps, { uses: "t/may" }] };
    const first = await bench.run(document);
    assert.equal(first.status, "failed");
    ready = true;
    const { runId } = await bench.engine.retry(first.id);
    const again = await bench.engine.waitFor(runId);
    assert.deepEqual([again.status, again.output, again.retryOf], ["succeeded", "check", first.id]);
    assert.equal(acted(), 1);
  });
});
