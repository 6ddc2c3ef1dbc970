import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openStoreForReading } from "../../host/store/open.ts";
import { WritingProcess } from "./child.ts";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { atEnd, storeFolder, testStore } from "./store-folder.ts";

test("what has been acknowledged can be read at once", async (t) => {
  const store = await testStore(t);
  const values = store.keyValue("host");
  for (let value = 0; value < 300; value++) {
    await values.set("k", value);
    assert.equal(await values.get("k"), value);
  }
});

test("another process reads while the host runs, after it was killed, and after it has stopped", async (t) => {
  const directory = storeFolder(t);
  const host = new WritingProcess(t, directory);
  await host.printed(50);

  const beside = openStoreForReading(directory);
  atEnd(t, () => beside.close());
  const [first] = host.lines[1]!.split(" ") as [string];
  assert.ok(beside.runs.get(first));
  const before = countRecords(beside.runs);
  await host.printed(host.lines.length + 200);
  assert.ok(countRecords(beside.runs) > before);

  await host.kill();
  assert.ok(existsSync(join(directory, "gantry.db-wal")), "the log should have been left behind");
  const afterKill = openStoreForReading(directory);
  assert.ok(countRecords(afterKill.runs) >= host.lines.length - 1);
  afterKill.close();

  const store = await testStore(t, {}, directory);
  const run = sampleRun();
  await store.runs.accept(run, documents("{}"), [sampleRecord(1)]);
  await store.close();
  const afterStop = openStoreForReading(directory);
  assert.deepEqual(afterStop.runs.get(run.id), run);
  afterStop.close();
});

test("a folder in which no host has worked is named as such, and stays as it is", (t) => {
  const directory = storeFolder(t);
  assert.throws(() => openStoreForReading(directory), { code: "STORE_MISSING" });
  assert.throws(() => openStoreForReading(join(directory, "none")), { code: "STORE_MISSING" });
  assert.ok(!existsSync(join(directory, "gantry.db")));
  // A host that was killed at its very first moment.
  const begun = storeFolder(t);
  writeFileSync(join(begun, "gantry.db"), "");
  assert.throws(() => openStoreForReading(begun), { code: "STORE_MISSING" });
  assert.ok(!existsSync(join(directory, "none")));
});

test("a folder written by a newer host is not read", async (t) => {
  const directory = storeFolder(t);
  await (await testStore(t, {}, directory)).close();
  const database = new DatabaseSync(join(directory, "gantry.db"));
  database.exec("PRAGMA user_version = 99");
  database.close();
  assert.throws(() => openStoreForReading(directory), { code: "STORE_NEWER", message: /version 99/ });
});

function countRecords(runs: ReturnType<typeof openStoreForReading>["runs"]): number {
  return runs.list({}).reduce((sum, { id }) => sum + runs.journal(id).length, 0);
}
