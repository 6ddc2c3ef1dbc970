import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestHost } from "gantry/testing";

test("a step looks at the machine", async () => {
  await using host = await startTestHost({ plugins: [new URL("..", import.meta.url)] });
  const { output } = await host.step("machine/look");
  const { load, freeMemoryBytes } = output as { load: number; freeMemoryBytes: number };
  assert.ok(load >= 0 && freeMemoryBytes > 0, JSON.stringify(output));
});
