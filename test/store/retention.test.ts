import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Run, Store } from "../../host/store/store.ts";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { storeFolder, testStore } from "./store-folder.ts";

const DAY_MS = 86_400_000;

async function endedRuns(store: Store, count: number, changes: Partial<Run> = {}): Promise<string[]> {
  const runs = Array.from({ length: count }, (_, index) =>
    sampleRun({ status: "succeeded", endedAt: 1_000 + index, ...changes }),
  );
  await Promise.all(runs.map((run) => store.runs.accept(run, documents("{}"), [sampleRecord(1), sampleRecord(2)])));
  return runs.map(({ id }) => id);
}

const idsOf = (store: Store) => store.runs.list({}).map(({ id }) => id);

test("of ended runs the newest are kept, and those that have not ended", async (t) => {
  const store = await testStore(t);
  const open = sampleRun();
  await store.runs.accept(open, documents("{}"), [sampleRecord(1)]);
  const ids = await endedRuns(store, 300);
  store.retention({ maxRuns: 100, maxAgeMs: Number.MAX_SAFE_INTEGER });
  assert.deepEqual(await store.sweep(2_000), { runs: 200 });
  assert.deepEqual(idsOf(store).sort(), [open.id, ...ids.slice(200)].sort());
  assert.equal(store.runs.journal(ids[0]!).length, 0);
  assert.equal(store.runs.journal(ids[299]!).length, 2);
  assert.deepEqual(await store.sweep(2_000), { runs: 0 });
});

test("runs that ended at the same moment do not go together", async (t) => {
  const store = await testStore(t);
  await endedRuns(store, 10, { endedAt: 5 });
  store.retention({ maxRuns: 4 });
  await store.sweep(6);
  assert.equal(idsOf(store).length, 4);
});

test("runs that ended too long ago go, however few there are", async (t) => {
  const store = await testStore(t);
  const now = 100 * DAY_MS;
  const [old] = await endedRuns(store, 1, { endedAt: now - 30 * DAY_MS - 1 });
  const [young] = await endedRuns(store, 1, { endedAt: now - 30 * DAY_MS });
  await store.sweep(now);
  assert.deepEqual(idsOf(store), [young]);
  assert.equal(store.runs.get(old!), undefined);
});

test("a run whose trigger still waits for its answer is not counted out, but grows too old", async (t) => {
  const store = await testStore(t);
  const answer: Run["answer"] = { trigger: "things/command", when: "finished", to: {} };
  const [waiting] = await endedRuns(store, 1, { endedAt: 1, answer });
  await endedRuns(store, 5);
  store.retention({ maxRuns: 2, maxAgeMs: DAY_MS });
  await store.sweep(2_000);
  assert.equal(idsOf(store).length, 3);
  assert.deepEqual(store.runs.get(waiting!)!.answer, answer);
  await store.sweep(2 * DAY_MS);
  assert.deepEqual(idsOf(store), []);
});

test("with a run go its folder, large values, secrets, and documents nobody else uses", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  const [gone, kept] = [sampleRun({ endedAt: 1 }), sampleRun({ endedAt: 2, document: "d2", calls: { inner: "d3" } })];
  for (const run of [gone, kept]) {
    mkdirSync(join(directory, "runs", run.id, "inner"), { recursive: true });
    writeFileSync(join(directory, "runs", run.id, "inner", "file"), "");
    await store.secrets.put(run.id, { a: 1 });
  }
  const texts = new Map([
    ["d1", "one"],
    ["d2", "two"],
    ["d3", "three"],
  ]);
  await store.runs.accept(gone, texts, [sampleRecord(1, { data: "x".repeat(100_000) })]);
  await store.runs.accept(kept, texts, [sampleRecord(1, { data: "x".repeat(100_000) })]);
  store.retention({ maxRuns: 1 });
  await store.sweep(3);
  assert.deepEqual(readdirSync(join(directory, "runs")), [kept.id]);
  assert.deepEqual(readdirSync(join(directory, "large")), [kept.id]);
  assert.deepEqual(store.secrets.list(), [kept.id]);
  assert.deepEqual(["d1", "d2", "d3"].map(store.runs.documentText), [undefined, "two", "three"]);

  // Its document comes again with the next run, though it was known to be there before.
  await store.runs.accept(sampleRun(), new Map([["d1", "one"]]), []);
  assert.equal(store.runs.documentText("d1"), "one");
});

test("runs accepted while documents are swept have theirs", async (t) => {
  const store = await testStore(t);
  store.retention({ maxRuns: 0 });
  for (let round = 0; round < 20; round++) {
    await endedRuns(store, 1);
    const run = sampleRun();
    await Promise.all([store.sweep(10_000), store.runs.accept(run, documents("{}"), [])]);
    assert.equal(store.runs.documentText("d1"), "{}", `round ${round}`);
    await store.runs.append(run.id, [], { status: "succeeded", endedAt: 1 });
  }
});

test("a delivery is recognised after its run is gone", async (t) => {
  const store = await testStore(t);
  const run = sampleRun({ endedAt: 1 });
  await store.runs.accept(run, documents("{}"), [], { key: "session/7", fingerprint: "f" });
  store.retention({ maxRuns: 0 });
  await store.sweep(2);
  assert.equal(store.runs.get(run.id), undefined);
  assert.deepEqual(store.runs.delivery("session/7"), { fingerprint: "f", runId: run.id });
});

test("the file does not grow where as many runs go as come", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  store.retention({ maxRuns: 100 });
  const sizes: number[] = [];
  for (let round = 0; round < 12; round++) {
    await endedRuns(store, 200, { input: { text: "x".repeat(500) } });
    await store.sweep(10_000);
    sizes.push(statSync(join(directory, "gantry.db")).size + statSync(join(directory, "gantry.db-wal")).size);
  }
  await store.close();
  const { size } = statSync(join(directory, "gantry.db"));
  assert.ok(size < 1_000_000, `${size} bytes for 100 runs, after ${sizes.join()}`);
});

test("folders of runs that a crash has left are removed at the next start, and no others", async (t) => {
  const directory = storeFolder(t);
  const first = await testStore(t, {}, directory);
  const run = sampleRun();
  await first.runs.accept(run, documents("{}"), []);
  await first.close();
  const stray = sampleRun().id;
  for (const name of [run.id, stray, "notes"]) mkdirSync(join(directory, "runs", name), { recursive: true });
  await testStore(t, {}, directory);
  while (existsSync(join(directory, "runs", stray))) await sleep(5);
  assert.deepEqual(readdirSync(join(directory, "runs")).sort(), [run.id, "notes"].sort());
});

test("the store sweeps and copies by itself while it is open", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, { sweepEveryMs: 20, copyEveryMs: 20 }, directory);
  store.retention({ maxRuns: 1 });
  await endedRuns(store, 5);
  await store.database("twins", "things").migrate(["CREATE TABLE t (a)"]);
  const copies = ["gantry.db.good", "databases/twins/things.db.good"].map((name) => join(directory, name));
  while (idsOf(store).length > 1 || !copies.every((copy) => existsSync(copy))) await sleep(5);
});
