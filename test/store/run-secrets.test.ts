import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sampleRun } from "./sample-run.ts";
import { storeFolder, testStore } from "./store-folder.ts";

test("secrets of a run are in a file for the host's user alone, replaced whole, and gone when removed", async (t) => {
  const directory = storeFolder(t);
  const { secrets } = await testStore(t, {}, directory);
  const { id } = sampleRun();
  assert.deepEqual(secrets.get(id), {});
  assert.deepEqual(secrets.list(), []);
  await secrets.put(id, { "run:a": "old", "run:b": 1 });
  await secrets.put(id, { "run:a": "geheim" });
  assert.deepEqual(secrets.get(id), { "run:a": "geheim" });
  const file = join(directory, "secrets", `${id}.json`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(directory, "secrets")).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(join(directory, "secrets")), [`${id}.json`]);
  for (const name of readdirSync(directory).filter((name) => name.startsWith("gantry.db")))
    assert.ok(!readFileSync(join(directory, name)).includes("geheim"), name);
  writeFileSync(`${file}.part`, "cut by a crash");
  assert.deepEqual(secrets.list(), [id]);
  await secrets.remove(id);
  assert.deepEqual(readdirSync(join(directory, "secrets")), []);
  await secrets.remove(id);
});

test("an id that is no plain name reaches no file", async (t) => {
  const { secrets } = await testStore(t);
  for (const id of ["../gantry", "a/b", "", ".", "x".repeat(65)]) {
    await assert.rejects(secrets.put(id, {}), /no id of a run/);
    assert.throws(() => secrets.get(id), /no id of a run/);
    await assert.rejects(secrets.remove(id), /no id of a run/);
  }
});
