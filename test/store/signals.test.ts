import assert from "node:assert/strict";
import { test } from "node:test";
import { storeFolder, testStore } from "./store-folder.ts";

test("a signal is kept once, in order of time, and forgotten when it is too old", async (t) => {
  const directory = storeFolder(t);
  const first = await testStore(t, {}, directory);
  const later = { id: "b", name: "go", value: { approved: true }, at: 20 };
  const earlier = { id: "a", name: "stop", value: null, at: 10 };
  assert.equal(await first.signals.put(later, 0), "stored");
  assert.equal(await first.signals.put(earlier, 0), "stored");
  assert.equal(await first.signals.put({ ...later, value: "another" }, 0), "duplicate");
  await first.close();
  const { signals } = await testStore(t, {}, directory);
  assert.deepEqual(signals.since(0), [earlier, later]);
  assert.deepEqual(signals.since(20), [later]);
  await signals.put({ id: "c", name: "go", value: 1, at: 30 }, 20);
  assert.deepEqual(
    signals.since(0).map(({ id }) => id),
    ["b", "c"],
  );
});
