import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { openStoreForReading } from "../../host/store/open.ts";
import type { RunsReading } from "../../host/store/store.ts";
import { WritingProcess } from "./child.ts";
import { sampleRecord } from "./sample-run.ts";
import { storeFolder, testStore } from "./store-folder.ts";

test("a host killed while it writes has lost nothing it acknowledged, round after round", async (t) => {
  const directory = storeFolder(t);
  const acknowledged = new Map<string, number>();
  for (let round = 1; round <= 5; round++) {
    const host = new WritingProcess(t, directory);
    await host.printed(1 + 150 * round);
    await host.kill();
    for (const line of host.lines.slice(1)) {
      const [run, sequence] = line.split(" ") as [string, string];
      acknowledged.set(run, Math.max(acknowledged.get(run) ?? 0, Number(sequence)));
    }
    const reader = openStoreForReading(directory);
    assertKept(reader.runs, acknowledged);
    reader.close();
  }
  const store = await testStore(t, {}, directory);
  assertKept(store.runs, acknowledged);
});

test("a host that ends by itself leaves its database, a copy of it, and no log", async (t) => {
  const directory = storeFolder(t);
  const host = new WritingProcess(t, directory, 100);
  await host.finished();
  assert.deepEqual(readdirSync(directory).sort(), ["gantry.db", "gantry.db.good", "lock"]);
  const store = await testStore(t, {}, directory);
  assert.equal(store.runs.list({}).flatMap(({ id }) => store.runs.journal(id)).length, host.lines.length - 1);
  await store.close();
  assert.deepEqual(readdirSync(directory).sort(), ["gantry.db", "gantry.db.good", "lock"]);
});

test("the writes of a store that is being closed are still committed, later ones are refused", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  const values = store.keyValue("host");
  let written = 0;
  for (let index = 0; index < 200; index++) void values.set(`k${index}`, index).then(() => written++);
  const closed = store.close();
  await assert.rejects(values.set("late", 1), { code: "STORE_FAILED", retryable: false });
  await closed;
  assert.equal(written, 200);
  await assert.rejects(values.get("k199"), { code: "STORE_FAILED" });
  const again = await testStore(t, {}, directory);
  assert.equal(await again.keyValue("host").get("k199"), 199);
  assert.equal(await again.keyValue("host").get("late"), undefined);
});

function assertKept(runs: RunsReading, acknowledged: Map<string, number>): void {
  for (const [run, last] of acknowledged) {
    const journal = runs.journal(run);
    assert.ok(journal.length >= last, `run ${run}: ${journal.length} records, ${last} were acknowledged`);
    assert.deepEqual(
      journal,
      journal.map((_, index) => sampleRecord(index + 1)),
    );
    assert.equal(runs.documentText(runs.get(run)!.document), '{"steps":[]}');
  }
}
