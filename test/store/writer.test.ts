import assert from "node:assert/strict";
import { test } from "node:test";
import { documents, sampleRecord, sampleRun, tooManyRecords, tooMuch } from "./sample-run.ts";
import { testStore } from "./store-folder.ts";

test("a write that fails takes only itself back, the others of its commit stand", async (t) => {
  const store = await testStore(t);
  const taken = sampleRun();
  await store.runs.accept(taken, documents("{}"), []);
  const before = store.figures.commits;
  const outcomes = await Promise.allSettled([
    store.keyValue("host").set("before", 1),
    store.runs.accept(sampleRun({ id: taken.id }), documents("{}"), [sampleRecord(1)], { key: "k", fingerprint: "f" }),
    store.runs.append("none", [sampleRecord(1)]),
    store.keyValue("host").set("after", 2),
    store.outbox("things").put("lane", "message"),
  ]);
  const statuses = outcomes.map(({ status }) => status);
  assert.deepEqual(statuses, ["fulfilled", "rejected", "rejected", "fulfilled", "fulfilled"]);
  assert.equal((outcomes[1] as PromiseRejectedResult).reason.code, "STORE_FAILED");
  assert.match((outcomes[1] as PromiseRejectedResult).reason.message, /UNIQUE constraint failed: runs.id/);
  assert.equal(store.figures.commits, before + 1);
  assert.equal(await store.keyValue("host").get("before"), 1);
  assert.equal(await store.keyValue("host").get("after"), 2);
  assert.equal((await store.outbox("things").read("lane", 0, 10)).length, 1);
  assert.equal(store.runs.delivery("k"), undefined);
});

test("what is under way is bounded in bytes, and all of it is written in order", async (t) => {
  const maxBytesInFlight = 100_000;
  const store = await testStore(t, { maxBytesInFlight });
  const outbox = store.outbox("things");
  const body = "x".repeat(5_000);
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, store.figures.bytesInFlight);
  }, 1);
  await Promise.all(Array.from({ length: 400 }, (_, n) => outbox.put("lane", { n, body })));
  clearInterval(watch);
  assert.ok(most <= maxBytesInFlight);
  assert.ok(
    store.figures.peakBytesInFlight <= maxBytesInFlight,
    `${store.figures.peakBytesInFlight} bytes were under way`,
  );
  assert.ok(store.figures.peakBytesInFlight > maxBytesInFlight / 2, "the bound was never reached");
  assert.equal(store.figures.bytesInFlight, 0);
  const messages = (await outbox.read("lane", 0, 1_000)).map(({ message }) => (message as { n: number }).n);
  assert.deepEqual(
    messages,
    Array.from({ length: 400 }, (_, n) => n),
  );
});

test("a write larger than all that may be under way is refused, and nothing waits behind it", async (t) => {
  const store = await testStore(t, { maxBytesInFlight: 10_000 });
  const values = store.keyValue("host");
  const outcomes = await Promise.allSettled([values.set("large", "x".repeat(20_000)), values.set("small", 1)]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["rejected", "fulfilled"],
  );
  assert.equal((outcomes[0] as PromiseRejectedResult).reason.code, "STORE_FAILED");
  assert.equal((outcomes[0] as PromiseRejectedResult).reason.retryable, false);
});

test("when the writing thread dies, what was pending is rejected and the store goes on with a new one", async (t) => {
  const store = await testStore(t, tooMuch);
  const values = store.keyValue("host");
  const run = sampleRun();
  await store.runs.accept(run, documents("{}"), [sampleRecord(1)]);
  for (let round = 1; round <= 3; round++) {
    const outcomes = await Promise.allSettled([
      store.runs.append(run.id, tooManyRecords()),
      values.set("with it", round),
      store.runs.append(run.id, [sampleRecord(round + 1)]),
    ]);
    for (const outcome of outcomes) {
      assert.equal(outcome.status, "rejected");
      assert.equal(outcome.reason.code, "STORE_FAILED");
      assert.match(outcome.reason.message, /writing thread ended.*memory/);
    }
    assert.equal(store.figures.bytesInFlight, 0);
    await store.runs.append(run.id, [sampleRecord(round + 1)]);
    assert.equal(store.runs.journal(run.id).length, round + 1);
  }
  assert.equal(await values.get("with it"), undefined);
  await store.close();
});
