// 100,000 runs of three steps through retention: size on disk, memory and time to open the store again must stay where
// they were after the first 10,000.

import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine } from "../host/engine/engine.ts";
import { createLog } from "../host/log.ts";
import { openStore } from "../host/store/open.ts";
import { row } from "./figures.ts";
import { threeStepsFinder, threeStepWorkflow } from "./three-steps.ts";

const [total = 100_000, kept = 5_000] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(tmpdir(), "gantry-bench-retention-"));
let store = await openStore(directory);
store.retention({ maxRuns: kept });
const log = createLog({ level: "error" });

function makeEngine(): Engine {
  const contexts = () => ({ config: {}, device: null });
  return new Engine({ store, log, dataDirectory: directory, findStep: threeStepsFinder, contexts });
}

let engine = makeEngine();
let accepted = 0;

async function work(upTo: number): Promise<void> {
  while (accepted < upTo) {
    accepted += 1;
    const { runId } = await engine.accept(threeStepWorkflow, { input: { value: 1, text: "x".repeat(200) } });
    await engine.waitFor(runId);
  }
}

for (let done = 0; done < total; ) {
  const next = Math.min(total, done + total / 10);
  const begun = performance.now();
  await Promise.all(Array.from({ length: 64 }, () => work(next)));
  const perSecond = (next - done) / ((performance.now() - begun) / 1000);
  await store.sweep(Date.now());
  await engine.stop();
  await store.close();
  const bytes = sizeOf(directory);
  const opening = performance.now();
  store = await openStore(directory);
  store.retention({ maxRuns: kept });
  const openMs = performance.now() - opening;
  engine = makeEngine();
  engine.resume();
  done = next;
  const figures = [
    `${(bytes / 1e6).toFixed(1)} MB on disk`,
    `${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`,
  ];
  const times = [`opens in ${openMs.toFixed(0)} ms`, `${perSecond.toFixed(0)} runs a second`];
  console.log(row(`after ${done} runs, ${kept} kept`, [...figures, ...times].join(", ")));
}
await engine.stop();
await store.close();
rmSync(directory, { recursive: true });

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
