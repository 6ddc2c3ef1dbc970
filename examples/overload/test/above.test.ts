import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestHost } from "gantry/testing";

const plugins = [new URL("../../machine", import.meta.url), new URL("..", import.meta.url)];
const on = (load: number) => [{ trigger: "overload/above", with: { load, everyMs: 20 } }];
const workflows = {
  // Every machine has that much to do, and none so much.
  always: {
    on: on(0),
    steps: [{ id: "then", uses: "machine/look" }],
    outputs: "${{ steps.then.outputs.freeMemoryBytes }}",
  },
  never: { on: on(1_000_000), steps: [{ uses: "machine/look" }] },
};

test("a run begins when the load is above its limit, and no second one while it stays there", async () => {
  await using host = await startTestHost({ plugins, workflows });
  const run = await host.nextRun("always");
  assert.equal(run.status, "succeeded");
  assert.ok((run.output as number) > 0);
  // Each look takes part in the same stream of time as some twenty samples.
  for (let look = 0; look < 20; look++) await host.step("machine/look");
  assert.deepEqual([host.runs("always").length, host.runs("never").length], [1, 0]);
});
