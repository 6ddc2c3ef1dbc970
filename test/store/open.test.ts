import assert from "node:assert/strict";
import { chmodSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { applicationId } from "../../host/store/check.ts";
import { openStore } from "../../host/store/open.ts";
import { SCHEMA_VERSION } from "../../host/store/schema.ts";
import { storeFolder, testStore } from "./store-folder.ts";

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
  await assert.rejects(openStore(file), { code: "STORE_FAILED", message: /EEXIST/, retryable: true });
});

test("a database of a newer version is refused and stays as it is; the folder is free again", async (t) => {
  const directory = storeFolder(t);
  await (await testStore(t, {}, directory)).close();
  setVersion(directory, SCHEMA_VERSION + 1);
  await assert.rejects(openStore(directory), { code: "STORE_NEWER", message: /version \d+.*up to \d+/ });
  setVersion(directory, SCHEMA_VERSION);
  await testStore(t, {}, directory);
});

function setVersion(directory: string, version: number): void {
  const database = new DatabaseSync(join(directory, "gantry.db"));
  database.exec(`PRAGMA user_version = ${version}; PRAGMA application_id = ${applicationId(version)}`);
  database.close();
}
