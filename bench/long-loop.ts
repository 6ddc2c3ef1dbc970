// One run with a loop over 10,000 items, each a durable step: how long it takes, what the process grows by, and how large
// the journal becomes while it goes on and what is left of it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../host/engine/engine.ts";
import type { LoadedWorkflow } from "../host/engine/workflow.ts";
import { createLog } from "../host/log.ts";
import { openStore } from "../host/store/open.ts";
import { row } from "./figures.ts";
import { threeStepsFinder } from "./three-steps.ts";

const items = 10_000;

const loop = (maxParallel: number): LoadedWorkflow => ({
  name: "loop",
  file: "",
  document: {
    name: "loop",
    steps: [
      {
        forEach: "${{ inputs.items }}",
        as: "n",
        maxParallel,
        steps: [{ uses: "bench/add", with: { value: "${{ n }}", text: "item" } }],
      },
    ],
  },
  text: "{}",
  hash: "1".repeat(64),
  calls: new Map(),
});

for (const maxParallel of [1, 8]) {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-loop-"));
  const store = await openStore(directory);
  const log = createLog({ level: "error" });
  const contexts = () => ({ config: {}, device: null });
  const engine = new Engine({ store, log, dataDirectory: directory, findStep: threeStepsFinder, contexts });
  const database = new DatabaseSync(join(directory, "gantry.db"), { readOnly: true });
  const sizes = database.prepare("SELECT count(*) AS rows, total(length(data)) AS bytes FROM journal");
  let most = { rows: 0, bytes: 0 };
  let peakMb = 0;
  globalThis.gc?.();
  const beforeMb = process.memoryUsage().rss / 1e6;
  const watch = setInterval(() => {
    const now = sizes.get() as { rows: number; bytes: number };
    if (now.rows > most.rows) most = { ...now };
    peakMb = Math.max(peakMb, process.memoryUsage().rss / 1e6);
  }, 200);
  const begun = performance.now();
  const input = { items: Array.from({ length: items }, (_, index) => index) };
  const { runId } = await engine.accept(loop(maxParallel), { input });
  const { status } = await engine.waitFor(runId);
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(watch);
  if (status !== "succeeded") throw new Error(`the run ${status}`);
  const left = sizes.get() as { rows: number };
  console.log(
    row(
      `a loop over ${items} items, ${maxParallel} at a time`,
      `${seconds.toFixed(1)} s, ${(items / seconds).toFixed(0)} steps a second, +${(peakMb - beforeMb).toFixed(0)} MB, ` +
        `at most ${most.rows} records (${(most.bytes / 1e6).toFixed(1)} MB), ${left.rows} left`,
    ),
  );
  database.close();
  await engine.stop();
  await store.close();
  rmSync(directory, { recursive: true });
}
