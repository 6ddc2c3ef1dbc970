import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkSoundness, checkWritable } from "../../host/doctor/data-folder.ts";
import { openStore, openStoreForReading } from "../../host/store/open.ts";
import { reasonOf } from "../../host/store/reason.ts";
import { WritingProcess } from "./child.ts";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { fillUp, mountSmallDisk, remount } from "./small-disk.ts";
import { storeFolder, testStore } from "./store-folder.ts";

const full = { code: "STORE_FULL", retryable: true };

function smallDisk(t: TestContext, mib = 4): string | undefined {
  const disk = mountSmallDisk(t, mib);
  if (disk === undefined) t.skip("mounting needs root");
  return disk;
}

test("on a full disk writes are STORE_FULL, and go on when there is room again", async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const store = await testStore(t, {}, join(disk, "data"));
  const run = sampleRun();
  await store.runs.accept(run, documents("{}"), [sampleRecord(1)]);

  let kept = 1;
  const fill = async () => {
    for (; kept < 1_000; kept++)
      await store.runs.append(run.id, [sampleRecord(kept + 1, { data: "x".repeat(20_000) })]);
  };
  writeFileSync(join(disk, "ballast"), Buffer.alloc(1_000_000));
  await assert.rejects(fill(), full);
  assert.equal(store.runs.journal(run.id).length, kept);
  // So large that the disk is full already before the commit.
  const large = store.keyValue("host").set("large", "x".repeat(3_000_000));
  const beside = store.keyValue("host").set("beside", "x".repeat(100_000));
  await assert.rejects(large, full);
  await assert.rejects(beside, full);

  writeFileSync(join(disk, "ballast"), "");
  await store.runs.append(run.id, [sampleRecord(kept + 1)], { status: "succeeded", endedAt: 1 });
  assert.equal(store.runs.journal(run.id).length, kept + 1);
  await store.close();
  const again = await testStore(t, {}, join(disk, "data"));
  assert.equal(again.runs.journal(run.id).length, kept + 1);
  assert.deepEqual(again.recovered, []);
  await again.close();
});

test("whatever little is left, each write is there whole or not at all", async (t) => {
  for (let leaving = 0; leaving <= 200_000; leaving += 20_000) {
    const disk = smallDisk(t);
    if (disk === undefined) return;
    const directory = join(disk, "data");
    const store = await testStore(t, {}, directory);
    const run = sampleRun();
    await store.runs.accept(run, documents("{}"), [sampleRecord(1)]);
    const free = fillUp(disk, leaving);
    const dataOf = (number: number) => String(number).repeat(70_000);
    let written = 1;
    let refused = false;
    while (!refused && written < 20)
      await store.runs
        .append(run.id, [sampleRecord(written + 1, { data: dataOf(written) }), sampleRecord(written + 2)])
        .then(
          () => {
            written += 2;
          },
          (error) => {
            assert.equal(error.code, "STORE_FULL", String(error));
            refused = true;
          },
        );
    assert.ok(refused);
    assert.equal(store.runs.journal(run.id).length, written);
    const secrets = store.secrets.put(run.id, { secret: dataOf(0) });
    await secrets.catch((error) => assert.equal(error.code, "STORE_FULL"));
    free();
    await store.runs.append(run.id, [sampleRecord(written + 1, { data: dataOf(written) })]);
    await store.close();

    const again = await testStore(t, {}, directory);
    assert.deepEqual(again.recovered, []);
    const journal = again.runs.journal(run.id);
    assert.equal(journal.length, written + 1);
    assert.equal(journal.at(-1)!.data, dataOf(written));
    await again.close();
    assert.deepEqual(
      readdirSync(directory, { recursive: true }).filter((name) => String(name).endsWith(".part")),
      [],
    );
  }
});

test("a plugin's database refuses on a full disk with the same code, and goes on when there is room", async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const store = await testStore(t, {}, join(disk, "data"));
  const database = store.database("twins", "things");
  await database.migrate(["CREATE TABLE t (a TEXT) STRICT"]);
  const free = fillUp(disk, 0);
  await assert.rejects(database.run("INSERT INTO t VALUES (?)", ["x".repeat(500_000)]), full);
  await assert.rejects(store.database("twins", "other").migrate(["CREATE TABLE t (a)"]), full);
  assert.deepEqual(await database.all("SELECT a FROM t"), []);
  free();
  await database.run("INSERT INTO t VALUES (?)", ["x"]);
  await store.database("twins", "other").migrate(["CREATE TABLE t (a)"]);
  assert.deepEqual(await database.all("SELECT a FROM t"), [{ a: "x" }]);
  await store.close();
});

test("a store on a full disk is not opened, or opened without harm", async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const directory = join(disk, "data");
  const first = await testStore(t, {}, directory);
  await first.keyValue("host").set("k", 1);
  await first.close();
  const free = fillUp(disk, 0);
  const second = await openStore(directory).catch((error) => assert.equal(error.code, "STORE_FULL", String(error)));
  await second?.close();
  free();
  const third = await testStore(t, {}, directory);
  assert.equal(await third.keyValue("host").get("k"), 1);
  assert.deepEqual(third.recovered, []);
  await third.close();
});

test("a read-only disk is STORE_READ_ONLY, and nothing on it is taken for damaged", async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const directory = join(disk, "data");
  const first = await testStore(t, {}, directory);
  await first.keyValue("host").set("k", 1);
  await first.close();
  remount(disk, "ro");
  await assert.rejects(openStore(directory), { code: "STORE_READ_ONLY", retryable: true });
  await assert.rejects(openStore(join(disk, "other")), { code: "STORE_READ_ONLY" });
  remount(disk, "rw");
  const again = await testStore(t, {}, directory);
  assert.equal(await again.keyValue("host").get("k"), 1);
  assert.deepEqual(again.recovered, []);
  await again.close();
});

test("on a read-only disk runs can be read, whether their host has stopped or was killed", async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const directory = join(disk, "data");
  const idRead = () => {
    const reader = openStoreForReading(directory);
    const [run] = reader.runs.list({});
    reader.close();
    return run?.id;
  };
  const store = await testStore(t, {}, directory);
  const run = sampleRun();
  await store.runs.accept(run, documents("{}"), [sampleRecord(1)]);
  await store.close();
  remount(disk, "ro");
  assert.equal(idRead(), run.id);
  assert.equal(checkSoundness(directory).state, "good");
  assert.match(checkWritable(directory).remedy ?? "", /remount,rw/);
  remount(disk, "rw");

  const host = new WritingProcess(t, directory);
  await host.printed(10);
  await host.kill();
  remount(disk, "ro");
  assert.notEqual(idRead(), undefined);
  assert.equal(checkSoundness(directory).state, "good");
  remount(disk, "rw");
});

test("what SQLite calls a disk I/O error gets the code of the disk's state", (t) => {
  const ioError = Object.assign(new Error("disk I/O error"), { errcode: 778, errstr: "disk I/O error" });
  assert.equal(reasonOf(ioError, storeFolder(t)).code, "STORE_FAILED");
  const disk = smallDisk(t, 1);
  if (disk === undefined) return;
  fillUp(disk, 0);
  assert.equal(reasonOf(ioError, disk).code, "STORE_FULL");
  remount(disk, "ro");
  assert.equal(reasonOf(ioError, disk).code, "STORE_READ_ONLY");
});
