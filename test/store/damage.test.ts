import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openStore, openStoreForReading } from "../../host/store/open.ts";
import { copyOf, damages, ended, filesIn, filledFolder, flip, generator, open, survives } from "./damaged-folder.ts";
import { storeFolder, testStore } from "./store-folder.ts";

test("a start gets over any damaged file of a closed data folder", async (t) => {
  const original = await filledFolder(t);
  const files = filesIn(original);
  assert.ok(files.length >= 7, files.join());
  const random = generator(20_261_126);
  // Each file is damaged in two of the ways; all of them are in damage.slow.test.ts.
  for (const [index, file] of files.entries())
    for (const kind of [index, index + 3].map((number) => Object.keys(damages)[number % 8]!)) {
      const directory = copyOf(t, original);
      damages[kind]!(join(directory, file));
      await survives(directory, `${file} ${kind}`);
    }
  for (let round = 0; round < 10; round++) {
    const directory = copyOf(t, original);
    const place = random() % 4_096;
    flip(join(directory, "gantry.db"), place, round % 8);
    await survives(directory, `byte ${place}`);
  }
});

test("a damaged database gives way to its last good copy, and is kept beside it", async (t) => {
  const directory = await filledFolder(t);
  damages.zeroed!(join(directory, "gantry.db"));
  const told: unknown[] = [];
  const store = await testStore(t, { onRecovered: (fact) => told.push(fact) }, directory);
  assert.deepEqual(store.runs.get(open.id), open);
  assert.equal(store.runs.journal(open.id).length, 61);
  const [fact] = store.recovered;
  assert.deepEqual(told, [fact]);
  assert.equal(fact!.code, "STORE_DAMAGED");
  assert.equal(fact!.what, join(directory, "gantry.db"));
  assert.match(fact!.found, /begins with zeros/);
  assert.ok(existsSync(fact!.setAside!));
  assert.ok(Math.abs(fact!.copyFrom! - Date.now()) < 600_000);
});

test("without a sound copy it begins empty, and says so", async (t) => {
  const directory = await filledFolder(t);
  for (const name of ["gantry.db", "gantry.db.good"]) damages["cut to half"]!(join(directory, name));
  const store = await testStore(t, {}, directory);
  assert.deepEqual(store.runs.list({}), []);
  assert.equal(store.recovered[0]!.copyFrom, null);
  assert.match(store.recovered[0]!.message, /begins empty/);
});

test("at most three damaged databases are kept", async (t) => {
  const directory = await filledFolder(t);
  for (let round = 0; round < 5; round++) {
    damages.overwritten!(join(directory, "gantry.db"));
    await (await openStore(directory)).close();
  }
  const kept = readdirSync(directory).filter((name) => name.startsWith("gantry.db.damaged-"));
  assert.equal(kept.length, 3);
});

test("of a log whose last page is torn, only what it held is lost", async (t) => {
  const running = storeFolder(t);
  const store = await testStore(t, {}, running);
  for (let value = 1; value <= 20; value++) await store.keyValue("host").set("k", value);
  const directory = copyOf(t, running);
  const log = join(directory, "gantry.db-wal");
  truncateSync(log, statSync(log).size - 100);
  const reopened = await testStore(t, {}, directory);
  assert.equal(await reopened.keyValue("host").get("k"), 19);
  assert.deepEqual(reopened.recovered, []);
});

test("a plugin's damaged database gives way to its copy without touching the others", async (t) => {
  const directory = await filledFolder(t);
  damages.overwritten!(join(directory, "databases/twins/things.db"));
  const store = await testStore(t, {}, directory);
  assert.equal(store.recovered.length, 0);
  const rows = await store.database("twins", "things").all("SELECT a FROM t");
  assert.equal(rows.length, 50);
  assert.equal(store.recovered.length, 1);
  assert.match(store.recovered[0]!.what, /things\.db$/);
  assert.deepEqual(store.runs.get(open.id), open);
});

test("a run that has not ended and cannot be read whole ends as failed; one that has ended can still be shown", async (t) => {
  const directory = await filledFolder(t);
  const database = new DatabaseSync(join(directory, "gantry.db"));
  database.exec(`UPDATE journal SET data = '{"cut' WHERE sequence = 7; UPDATE runs SET input = '[1,'`);
  database.close();
  const store = await testStore(t, {}, directory);
  const failed = store.runs.get(open.id)!;
  assert.equal(failed.status, "failed");
  assert.equal(failed.error!.code, "STORE_DAMAGED");
  assert.deepEqual(store.runs.unfinished(), []);
  assert.match(store.recovered[0]!.message, new RegExp(open.id));
  const shown = store.runs.get(ended.id)!;
  assert.equal(shown.status, "succeeded");
  assert.equal((shown.input as { damaged: { code: string } }).damaged.code, "STORE_DAMAGED");
  const { data } = store.runs.journal(ended.id)[6]!;
  assert.equal((data as { damaged: { code: string } }).damaged.code, "STORE_DAMAGED");
});

test("secrets that are not those that were kept are set aside, and the run is told", async (t) => {
  const directory = await filledFolder(t);
  const file = join(directory, "secrets", `${open.id}.json`);
  writeFileSync(file, readFileSync(file, "utf8").replace("geheim", "gehelm"));
  const store = await testStore(t, {}, directory);
  assert.throws(() => store.secrets.get(open.id), { code: "STORE_DAMAGED", retryable: false });
  assert.ok(existsSync(`${file}.damaged`));
  assert.equal(store.recovered[0]!.setAside, `${file}.damaged`);
});

test("a damaged database is not read beside a host, and the reason has a code", async (t) => {
  const directory = await filledFolder(t);
  damages.overwritten!(join(directory, "gantry.db"));
  assert.throws(() => openStoreForReading(directory), { code: "STORE_DAMAGED" });
});
