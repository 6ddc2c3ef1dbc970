import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { SCHEMA_VERSION } from "../../host/store/schema.ts";
import { openStore } from "../../host/store/open.ts";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { atEnd, storeFolder, testStore } from "./store-folder.ts";

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test("the folder and its files are for the host's user alone", async (t) => {
  const directory = join(storeFolder(t), "made", "here");
  const store = await testStore(t, {}, directory);
  await store.keyValue("host").set("k", 1);
  const files = readdirSync(directory).sort();
  assert.deepEqual(files, ["gantry.db", "gantry.db-shm", "gantry.db-wal", "lock"]);
  assert.equal(modeOf(directory), "700");
  for (const file of files) assert.equal(modeOf(join(directory, file)), "600", file);
});

test("a folder opened up by someone is closed again, unless it holds other things", async (t) => {
  const directory = storeFolder(t);
  await (await testStore(t, {}, directory)).close();
  chmodSync(directory, 0o755);
  chmodSync(join(directory, "gantry.db"), 0o644);
  await testStore(t, {}, directory);
  assert.equal(modeOf(directory), "700");
  assert.equal(modeOf(join(directory, "gantry.db")), "600");

  const shared = storeFolder(t);
  writeFileSync(join(shared, "other.txt"), "");
  chmodSync(shared, 0o755);
  await testStore(t, {}, shared);
  assert.equal(modeOf(shared), "755");
});

test("a folder that cannot be made is STORE_FAILED with the system's reason", async (t) => {
  const file = join(storeFolder(t), "file");
  writeFileSync(file, "");
  await assert.rejects(openStore(join(file, "data")), { code: "STORE_FAILED", message: /ENOTDIR/, retryable: true });
});

test("a database that is none is STORE_FAILED and stays as it is; the folder is free again", async (t) => {
  const directory = storeFolder(t);
  writeFileSync(join(directory, "gantry.db"), "something else ".repeat(1_000));
  await assert.rejects(openStore(directory), { code: "STORE_FAILED", message: /not a database/ });
  await assert.rejects(openStore(directory), { code: "STORE_FAILED" });
  assert.equal(statSync(join(directory, "gantry.db")).size, 15_000);
});

test("a database of a newer version is refused and stays as it is; the folder is free again", async (t) => {
  const directory = storeFolder(t);
  await (await testStore(t, {}, directory)).close();
  setVersion(directory, SCHEMA_VERSION + 1);
  await assert.rejects(openStore(directory), { code: "STORE_NEWER", message: /version \d+.*up to \d+/ });
  setVersion(directory, SCHEMA_VERSION);
  await testStore(t, {}, directory);
});

test("on a full disk writes are STORE_FAILED, and go on when there is room again", async (t) => {
  const disk = mountSmallDisk(t);
  if (disk === undefined) return t.skip("mounting needs root");
  const store = await testStore(t, {}, join(disk, "data"));
  const run = sampleRun();
  await store.runs.accept(run, documents("{}"), [sampleRecord(1)]);

  let kept = 1;
  const fill = async () => {
    for (; kept < 1_000; kept++)
      await store.runs.append(run.id, [sampleRecord(kept + 1, { data: "x".repeat(20_000) })]);
  };
  writeFileSync(join(disk, "ballast"), Buffer.alloc(1_000_000));
  await assert.rejects(fill(), { code: "STORE_FAILED", message: /full|I\/O/, retryable: true });
  assert.equal(store.runs.journal(run.id).length, kept);
  // So large that the disk is full already before the commit.
  const large = store.keyValue("host").set("large", "x".repeat(3_000_000));
  const beside = store.keyValue("host").set("beside", "x".repeat(100_000));
  await assert.rejects(large, { code: "STORE_FAILED", retryable: true });
  await assert.rejects(beside, { code: "STORE_FAILED", retryable: true });

  writeFileSync(join(disk, "ballast"), "");
  await store.runs.append(run.id, [sampleRecord(kept + 1)], { status: "succeeded", endedAt: 1 });
  assert.equal(store.runs.journal(run.id).length, kept + 1);
  await store.close();
  const again = await testStore(t, {}, join(disk, "data"));
  assert.equal(again.runs.journal(run.id).length, kept + 1);
  await again.close();
});

function setVersion(directory: string, version: number): void {
  const database = new DatabaseSync(join(directory, "gantry.db"));
  database.exec(`PRAGMA user_version = ${version}`);
  database.close();
}

/** Four MiB, or undefined where this user may not mount. */
function mountSmallDisk(t: TestContext): string | undefined {
  const place = join(storeFolder(t), "disk");
  mkdirSync(place);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", place]).status !== 0) return undefined;
  atEnd(t, () => spawnSync("umount", [place]));
  return place;
}
