import assert from "node:assert/strict";
import { test } from "node:test";
import { storeFolder, testStore } from "./store-folder.ts";

test("values are kept for each owner, replaced and deleted, over a restart", async (t) => {
  const directory = storeFolder(t);
  const first = await testStore(t, {}, directory);
  const value = { list: [1, "ü", null, { a: false }] };
  await first.keyValue("lamp").set("k", "old");
  await first.keyValue("lamp").set("k", value);
  await first.keyValue("switch").set("k", null);
  await first.keyValue("switch").set("gone", 1);
  await first.keyValue("switch").delete("gone");
  await first.keyValue("switch").delete("never there");
  await first.close();
  const store = await testStore(t, {}, directory);
  assert.deepEqual(await store.keyValue("lamp").get("k"), value);
  assert.equal(await store.keyValue("switch").get("k"), null);
  assert.equal(await store.keyValue("switch").get("gone"), undefined);
});

test("of writes handed over without waiting, the last one stands", async (t) => {
  const store = await testStore(t, { maxBytesInFlight: 2_000 });
  const values = store.keyValue("host");
  const settled: number[] = [];
  await Promise.all(Array.from({ length: 500 }, (_, index) => values.set("k", index).then(() => settled.push(index))));
  assert.equal(await values.get("k"), 499);
  assert.deepEqual(
    settled,
    Array.from({ length: 500 }, (_, index) => index),
  );
});
