import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { storeFolder, testStore } from "./store-folder.ts";

test("writes of one turn share one commit", async (t) => {
  const store = await testStore(t);
  const values = store.keyValue("host");
  await Promise.all(Array.from({ length: 500 }, (_, index) => values.set(`k${index}`, index)));
  assert.equal(store.figures.writes, 500);
  assert.equal(store.figures.commits, 1);
});

test("writes that arrive while the disk is busy share the next commit", async (t) => {
  const store = await testStore(t);
  const values = store.keyValue("host");
  const writer = async (name: number) => {
    for (let value = 0; value < 50; value++) await values.set(`k${name}`, value);
  };
  await Promise.all(Array.from({ length: 40 }, (_, name) => writer(name)));
  const { writes, commits } = store.figures;
  assert.equal(writes, 2_000);
  assert.ok(commits >= 50, `50 dependent writes cannot be in ${commits} commits`);
  assert.ok(commits <= writes / 4, `${writes} writes took ${commits} commits`);
});

test("writes of different turns that find the disk busy share a commit too", async (t) => {
  const store = await testStore(t);
  const values = store.keyValue("host");
  const writes = [values.set("large", "x".repeat(5_000_000))];
  for (let turn = 0; turn < 100; turn++) {
    await setImmediate();
    writes.push(values.set("k", turn));
  }
  await Promise.all(writes);
  assert.ok(store.figures.commits <= 50, `101 writes took ${store.figures.commits} commits`);
});

test("one after the other, each write has a commit of its own", async (t) => {
  const store = await testStore(t);
  for (let value = 0; value < 20; value++) await store.keyValue("host").set("k", value);
  assert.equal(store.figures.commits, 20);
});

test("a run's records and the change of its row are one commit", async (t) => {
  const store = await testStore(t);
  const run = sampleRun();
  await store.runs.accept(run, documents("{}"), [sampleRecord(1), sampleRecord(2)], { key: "k", fingerprint: "f" });
  await store.runs.append(run.id, [sampleRecord(3), sampleRecord(4)], { status: "succeeded", endedAt: 5 });
  assert.equal(store.figures.commits, 2);
});

const strace = spawnSync("strace", ["-V"]).status === 0;
test("each acknowledged commit is a sync of the disk", { skip: !strace && "strace is not installed" }, async (t) => {
  const directory = storeFolder(t);
  const program = fileURLToPath(new URL("./dependent-writes.ts", import.meta.url));
  const trace = join(directory, "trace");
  const args = [
    "-f",
    "-qq",
    "-e",
    "trace=fsync,fdatasync",
    "-o",
    trace,
    process.execPath,
    program,
    join(directory, "data"),
  ];
  const child = spawn("strace", args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  assert.deepEqual(await once(child, "close"), [0, null]);
  const syncs = readFileSync(trace, "utf8").match(/f(data)?sync\(/g)!.length;
  assert.ok(syncs >= 30, `${syncs} syncs`);
  assert.ok(syncs < 60, `${syncs} syncs for 30 commits`);
  assert.equal(output.trim(), "30 commits");
});
