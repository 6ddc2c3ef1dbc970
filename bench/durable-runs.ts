// Durable runs of three steps a second, against OpenWorkflow on its SQLite backend and the disk's own rate of synced
// commits, all in one process run and on one disk.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../host/engine/engine.ts";
import type { LoadedWorkflow, RunnableStep } from "../host/engine/workflow.ts";
import { createLog } from "../host/log.ts";
import { openStore } from "../host/store/open.ts";
import { median, row } from "./figures.ts";

const step: RunnableStep = {
  uses: "bench/add",
  plugin: "bench",
  implementation: {
    run: async ({ value }: { value: number }) => ({ value: value + 1 }),
  } as RunnableStep["implementation"],
  checkInput: () => [],
  checkOutput: () => [],
  errors: {},
  services: {},
  secret: async () => "",
  fetch,
};

const workflow: LoadedWorkflow = {
  name: "three",
  file: "three.json",
  document: {
    name: "three",
    steps: [
      { id: "a", uses: "bench/add", with: { value: "${{ inputs.value }}" } },
      { id: "b", uses: "bench/add", with: { value: "${{ steps.a.outputs.value }}" } },
      { id: "c", uses: "bench/add", with: { value: "${{ steps.b.outputs.value }}" } },
    ],
    outputs: { value: "${{ steps.c.outputs.value }}" },
  },
  text: "{}",
  hash: "0".repeat(64),
};

/** Runs a second and the median time of one run in milliseconds, with so many open at once. */
export async function durableRuns(open: number, seconds = 3): Promise<{ perSecond: number; medianMs: number }> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-"));
  const store = await openStore(directory);
  const log = createLog({ level: "error" });
  const engine = new Engine({
    store,
    log,
    dataDirectory: directory,
    findStep: () => step,
    contexts: () => ({ config: {}, device: null }),
    maxOpen: 1024,
  });
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  const one = async () => {
    while (performance.now() < end) {
      const begun = performance.now();
      const { runId } = await engine.accept(workflow, { input: { value: 1 } });
      const run = await engine.waitFor(runId);
      if ((run.output as { value: number }).value !== 4) throw new Error(`wrong result ${JSON.stringify(run)}`);
      times.push(performance.now() - begun);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: open }, one));
  const tookSeconds = (performance.now() - begun) / 1000;
  await engine.stop();
  await store.close();
  rmSync(directory, { recursive: true });
  return { perSecond: times.length / tookSeconds, medianMs: median(times) };
}

/** The same three steps on OpenWorkflow. */
async function openWorkflowRuns(open: number, seconds = 5): Promise<{ perSecond: number; medianMs: number }> {
  const { OpenWorkflow } = await import("openworkflow");
  const { BackendSqlite } = await import("openworkflow/sqlite");
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-peer-"));
  const backend = BackendSqlite.connect(join(directory, "peer.db"));
  const peer = new OpenWorkflow({ backend });
  const three = peer.defineWorkflow(
    { name: "three" },
    async ({ input, step: peerStep }: { input: { value: number }; step: PeerStep }) => {
      const a = await peerStep.run({ name: "a" }, async () => input.value + 1);
      const b = await peerStep.run({ name: "b" }, async () => a + 1);
      return await peerStep.run({ name: "c" }, async () => b + 1);
    },
  );
  const worker = peer.newWorker({ concurrency: open });
  await worker.start();
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  const one = async () => {
    while (performance.now() < end) {
      const begun = performance.now();
      const handle = await three.run({ value: 1 });
      if ((await handle.result()) !== 4) throw new Error("wrong result of the peer");
      times.push(performance.now() - begun);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: open }, one));
  const tookSeconds = (performance.now() - begun) / 1000;
  await worker.stop();
  await backend.stop();
  rmSync(directory, { recursive: true });
  return { perSecond: times.length / tookSeconds, medianMs: median(times) };
}

interface PeerStep {
  run<Value>(options: { name: string }, work: () => Promise<Value>): Promise<Value>;
}

/** Synced commits of one small row a second: what the disk itself gives. */
function diskCommits(seconds = 2): number {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-disk-"));
  const database = new DatabaseSync(join(directory, "disk.db"));
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (v TEXT)");
  const insert = database.prepare("INSERT INTO t VALUES (?)");
  const value = "x".repeat(256);
  let commits = 0;
  const end = performance.now() + seconds * 1000;
  for (; performance.now() < end; commits++) insert.run(value);
  database.close();
  rmSync(directory, { recursive: true });
  return commits / seconds;
}

if (import.meta.main) {
  console.log(row("disk: synced commits of one row a second", diskCommits().toFixed(0)));
  for (const open of [1, 64, 256]) {
    const { perSecond, medianMs } = await durableRuns(open);
    console.log(
      row(
        `Gantry: three-step runs a second, ${open} open`,
        `${perSecond.toFixed(0)} (median ${medianMs.toFixed(1)} ms)`,
      ),
    );
  }
  const own = await durableRuns(32);
  const peer = await openWorkflowRuns(32);
  console.log(row("Gantry, 32 open", own.perSecond.toFixed(0)));
  console.log(
    row("OpenWorkflow on SQLite, 32 open", `${peer.perSecond.toFixed(0)} (median ${peer.medianMs.toFixed(1)} ms)`),
  );
  console.log(row("ratio", `${(own.perSecond / peer.perSecond).toFixed(1)} times`));
}
