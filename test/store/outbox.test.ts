import assert from "node:assert/strict";
import { test } from "node:test";
import { storeFolder, testStore } from "./store-folder.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test("messages are read in the order they were put, lane by lane and owner by owner", async (t) => {
  const store = await testStore(t);
  const outbox = store.outbox("things");
  await Promise.all(numbers(50).map((n) => outbox.put(n % 2 ? "odd" : "even", { n })));
  await store.outbox("other").put("odd", "mine");
  const odd = await outbox.read("odd", 0, 100);
  assert.deepEqual(
    odd.map(({ id }) => id),
    numbers(25),
  );
  assert.deepEqual(
    odd.map(({ message }) => message),
    numbers(25).map((n) => ({ n: 2 * n - 1 })),
  );
  assert.deepEqual(
    (await outbox.read("odd", 20, 3)).map(({ id }) => id),
    [21, 22, 23],
  );
  assert.deepEqual(await outbox.read("none", 0, 10), []);
  assert.deepEqual(
    (await store.outbox("other").read("odd", 0, 10)).map(({ message }) => message),
    ["mine"],
  );
});

test("ids go on growing after a lane has drained, also over a restart", async (t) => {
  const directory = storeFolder(t);
  const first = await testStore(t, {}, directory);
  for (const n of numbers(3)) await first.outbox("things").put("lane", n);
  await first.outbox("things").remove("lane", 2);
  assert.deepEqual(
    (await first.outbox("things").read("lane", 0, 10)).map(({ id }) => id),
    [3],
  );
  await first.outbox("things").remove("lane", 3);
  await first.close();
  const outbox = (await testStore(t, {}, directory)).outbox("things");
  await outbox.put("lane", "next");
  assert.deepEqual(
    (await outbox.read("lane", 3, 10)).map(({ id, message }) => [id, message]),
    [[4, "next"]],
  );
});

test("a key is taken once: while its message waits, after it has left, and after a restart", async (t) => {
  const directory = storeFolder(t);
  const first = await testStore(t, {}, directory);
  const outbox = first.outbox("things");
  const outcomes = await Promise.all(numbers(3).map((n) => outbox.put("lane", n, { key: "k" })));
  assert.deepEqual(outcomes, ["stored", "duplicate", "duplicate"]);
  assert.equal(await outbox.put("lane", 2, { key: "other" }), "stored");
  assert.equal(await first.outbox("another owner").put("lane", 1, { key: "k" }), "stored");
  await outbox.remove("lane", 2);
  assert.equal(await outbox.put("lane", 3, { key: "k" }), "duplicate");
  await first.close();
  const again = (await testStore(t, {}, directory)).outbox("things");
  assert.equal(await again.put("lane", 4, { key: "k" }), "duplicate");
  assert.equal(await again.put("lane", 4, { key: "other" }), "duplicate");
  assert.deepEqual(await again.read("lane", 0, 10), []);
});

test("messages without a key are never duplicates", async (t) => {
  const outbox = (await testStore(t)).outbox("things");
  assert.deepEqual(await Promise.all(numbers(3).map(() => outbox.put("lane", "same"))), ["stored", "stored", "stored"]);
});

test("the keys of the last 10,000 messages that left are remembered, older ones are not", async (t) => {
  const store = await testStore(t);
  const outbox = store.outbox("things");
  await store.outbox("other").put("lane", 0, { key: "k1" });
  await store.outbox("other").remove("lane", 1);
  await Promise.all(numbers(10_005).map((n) => outbox.put(n <= 5 ? "early" : "lane", n, { key: `k${n}` })));
  await outbox.remove("early", 5);
  await outbox.remove("lane", 4_000);
  assert.equal(await outbox.put("lane", 0, { key: "k1" }), "duplicate");
  await outbox.remove("lane", 10_000);
  assert.equal(await outbox.put("lane", 0, { key: "k5" }), "stored");
  assert.equal(await outbox.put("lane", 0, { key: "k6" }), "duplicate");
  assert.equal(await outbox.put("lane", 0, { key: "k10005" }), "duplicate");
  assert.equal(await store.outbox("other").put("lane", 0, { key: "k1" }), "duplicate");
});

test("a lane that holds its maximum refuses with OUTBOX_FULL until messages have left; other lanes go on", async (t) => {
  const directory = storeFolder(t);
  const first = await testStore(t, { maxLaneBytes: 10_000 }, directory);
  const outbox = first.outbox("things");
  const message = "x".repeat(1_900);
  const outcomes = await Promise.allSettled(numbers(8).map((n) => outbox.put("lane", message, { key: `k${n}` })));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    [...Array(5).fill("fulfilled"), ...Array(3).fill("rejected")],
  );
  await assert.rejects(outbox.put("lane", message), { code: "OUTBOX_FULL", retryable: true });
  assert.equal(await outbox.put("lane", message, { key: "k1" }), "duplicate");
  assert.equal(await outbox.put("second", message), "stored");
  await first.close();

  const again = (await testStore(t, { maxLaneBytes: 10_000 }, directory)).outbox("things");
  await assert.rejects(again.put("lane", message), { code: "OUTBOX_FULL" });
  await again.remove("lane", 1);
  assert.equal(await again.put("lane", message, { key: "k8" }), "stored");
  await assert.rejects(again.put("lane", message), { code: "OUTBOX_FULL" });
});

test("a message that no empty lane could hold says that a retry is of no use", async (t) => {
  const outbox = (await testStore(t, { maxLaneBytes: 1_000 })).outbox("things");
  await assert.rejects(outbox.put("lane", "x".repeat(1_000)), { code: "OUTBOX_FULL", retryable: false });
});
