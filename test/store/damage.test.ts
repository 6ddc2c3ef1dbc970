import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { GantryError } from "../../host/errors.ts";
import { openStore, openStoreForReading } from "../../host/store/open.ts";
import type { Store } from "../../host/store/store.ts";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { atEnd, storeFolder, testStore } from "./store-folder.ts";

const large = "x".repeat(100_000);
const open = sampleRun({ id: "01900000-0000-7000-8000-000000000001" });
const ended = sampleRun({ id: "01900000-0000-7000-8000-000000000002", status: "succeeded", endedAt: Date.now() });

/** A folder with something of everything in it, closed; its last good copies are as new as it is. */
async function filledFolder(t: TestContext): Promise<string> {
  const directory = storeFolder(t);
  const store = await openStore(directory);
  await fill(store);
  await store.close();
  return directory;
}

async function fill(store: Store): Promise<void> {
  await store.secrets.put(open.id, { "run:a": "geheim" });
  for (const run of [open, ended]) {
    const records = Array.from({ length: 60 }, (_, index) => sampleRecord(index + 1, { data: "y".repeat(500) }));
    await store.runs.accept(run, documents("{}"), records, { key: run.id, fingerprint: "f" });
    await store.runs.append(run.id, [sampleRecord(61, { data: large })]);
  }
  await store.keyValue("host").set("k", { a: 1 });
  await store.outbox("things").put("lane", { message: 1 });
  await store.signals.put({ id: "s", name: "go", value: 1, at: Date.now() }, 0);
  const database = store.database("twins", "things");
  await database.migrate(["CREATE TABLE t (a TEXT) STRICT"]);
  for (let row = 0; row < 50; row++) await database.run("INSERT INTO t VALUES (?)", ["z".repeat(300)]);
}

/** Reads and writes what a host does; fails where anything but a coded error comes out. */
async function useAll(store: Store): Promise<void> {
  const { runs, signals, secrets } = store;
  for (const run of [...runs.list({}), ...runs.unfinished()]) runs.journal(run.id);
  runs.documentText("d1");
  runs.delivery(open.id);
  signals.since(0);
  const coded = (error: GantryError) => assert.match(String(error.code), /^(STORE|DATABASE)_/, String(error));
  for (const id of secrets.list())
    try {
      secrets.get(id);
    } catch (error) {
      coded(error as GantryError);
    }
  await store.keyValue("host").get("k");
  await store.outbox("things").read("lane", 0, 10);
  await store.database("twins", "things").all("SELECT a FROM t").catch(coded);
  const run = sampleRun();
  await runs.accept(run, documents("{}"), [sampleRecord(1)]);
  await runs.append(run.id, [sampleRecord(2)], { status: "succeeded", endedAt: 1 });
  await store.keyValue("host").set("after", 1);
}

/** Opens, uses, closes, and does it again: one start must put everything right. */
async function survives(directory: string): Promise<Store["recovered"]> {
  const store = await openStore(directory);
  try {
    await useAll(store);
  } finally {
    await store.close();
  }
  const again = await openStore(directory);
  try {
    await useAll(again);
    const repeated = again.recovered.filter(({ setAside }) => setAside !== null);
    assert.deepEqual(repeated, [], "the second start found damaged files again");
  } finally {
    await again.close();
  }
  return store.recovered;
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((name) => !name.endsWith("-shm"));
}

function copyOf(t: TestContext, directory: string): string {
  const copy = storeFolder(t);
  cpSync(directory, copy, { recursive: true });
  return copy;
}

const damages: Record<string, (file: string) => void> = {
  emptied: (file) => truncateSync(file, 0),
  "cut to one byte": (file) => truncateSync(file, Math.min(1, statSync(file).size)),
  "cut within its first page": (file) => truncateSync(file, Math.min(1_000, statSync(file).size)),
  "cut to half": (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  "short of its last byte": (file) => truncateSync(file, Math.max(0, statSync(file).size - 1)),
  zeroed: (file) => writeFileSync(file, Buffer.alloc(statSync(file).size)),
  overwritten: (file) => writeFileSync(file, "something else ".repeat(1_000)),
  missing: (file) => rmSync(file),
};

for (const [kind, damage] of Object.entries(damages))
  test(`a start gets over any file of a closed data folder that is ${kind}`, async (t) => {
    const original = await filledFolder(t);
    const files = filesIn(original);
    assert.ok(files.length >= 7, files.join());
    for (const file of files) {
      const directory = copyOf(t, original);
      damage(join(directory, file));
      await survives(directory);
    }
  });

test("a start gets over any file of a folder whose host was killed", async (t) => {
  const running = storeFolder(t);
  const store = await testStore(t, {}, running);
  await fill(store);
  const original = copyOf(t, running);
  const files = filesIn(original);
  assert.ok(files.includes("gantry.db-wal"));
  for (const file of files)
    for (const kind of ["cut to half", "zeroed", "missing"]) {
      const directory = copyOf(t, original);
      damages[kind]!(join(directory, file));
      await survives(directory);
    }
});

test("a start gets over one changed bit, wherever it is", async (t) => {
  const original = await filledFolder(t);
  const random = generator(20_261_126);
  for (const file of filesIn(original)) {
    const { size } = statSync(join(original, file));
    if (size === 0) continue;
    // The beginning of a database says most about the rest, so half of the places are there.
    for (let round = 0; round < 12; round++) {
      const directory = copyOf(t, original);
      const bytes = readFileSync(join(directory, file));
      const place = random() % (round % 2 === 0 ? Math.min(size, 100) : size);
      bytes[place] = bytes[place]! ^ (1 << (random() % 8));
      writeFileSync(join(directory, file), bytes);
      await survives(directory).catch((error) => {
        throw new Error(`byte ${place} of ${file}`, { cause: error });
      });
      rmSync(directory, { recursive: true });
    }
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
  assert.deepEqual(store.recovered, []);
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

test("damage that appears while the host works is told with the write that meets it", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  await fill(store);
  atEnd(t, () => rmSync(join(directory, "gantry.db-shm"), { force: true }));
  const values = store.keyValue("host");
  const { size } = statSync(join(directory, "gantry.db-wal"));
  writeFileSync(join(directory, "gantry.db-wal"), Buffer.alloc(size, 7), { flag: "r+" });
  const outcome = await values.set("k", 2).catch((error: GantryError) => error);
  if (outcome instanceof Error) assert.equal((outcome as GantryError).code, "STORE_DAMAGED");
});

test("a damaged database is not read beside a host, and the reason has a code", async (t) => {
  const directory = await filledFolder(t);
  damages.overwritten!(join(directory, "gantry.db"));
  assert.throws(() => openStoreForReading(directory), { code: "STORE_DAMAGED" });
});

/** The same numbers in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}
