import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { running } from "./running.ts";

test("a program that writes 1 GB costs neither memory nor disk", async () => {
  using step = running();
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 10);
  const { outputFile, output } = await step
    .shell("yes 'a line that is written again and again' | head -c 1000000000")
    .finally(() => clearInterval(timer));
  assert.ok(peak - before < 150_000_000, `${peak - before} bytes more`);
  assert.ok(statSync(outputFile).size < 1_100_000);
  assert.ok(output.length <= 16 * 1024);
});
