// Durable runs of three steps a second, against OpenWorkflow on its SQLite backend and the disk's own rate of synced
// commits, all in one process run and on one disk.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { median, row } from "./figures.ts";
import { type Figures, threeSteps } from "./three-steps.ts";
import { countSyncs, slowDisk } from "./under-strace.ts";

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

function told({ perSecond, medianMs, loopDelayMs }: Figures): string {
  const delay = `event loop late by ${loopDelayMs.toFixed(1)} ms (99 %)`;
  return `${perSecond.toFixed(0)} (median ${medianMs.toFixed(1)} ms, ${delay})`;
}

console.log(row("disk: synced commits of one row a second", diskCommits().toFixed(0)));
for (const open of [1, 64, 256])
  console.log(row(`Gantry: three-step runs a second, ${open} open`, told(await threeSteps(open))));
console.log(row("the same with outputs of 1 KiB, 64 open", told(await threeSteps(64, 1024))));
const own = await threeSteps(32);
const peer = await openWorkflowRuns(32);
console.log(row("Gantry, 32 open", told(own)));
console.log(
  row("OpenWorkflow on SQLite, 32 open", `${peer.perSecond.toFixed(0)} (median ${peer.medianMs.toFixed(1)} ms)`),
);
console.log(row("ratio", `${(own.perSecond / peer.perSecond).toFixed(1)} times`));
for (const open of [1, 64]) {
  const counted = await countSyncs(open);
  if (counted === undefined) console.log("syncs are not counted: strace is not installed");
  else console.log(row(`syncs for one run, ${open} open`, (counted.syncs / counted.figures.runs).toFixed(2)));
}
const slow = await slowDisk(64, 20);
if (slow !== undefined) console.log(row("on a disk with 20 ms a sync, 64 open", told(slow)));
