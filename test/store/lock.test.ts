import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "../../host/store/open.ts";
import { WritingProcess } from "./child.ts";
import { tooManyRecords, tooMuch } from "./sample-run.ts";
import { storeFolder, testStore } from "./store-folder.ts";

test("a second host is refused while another process has the folder, and let in once that one was killed", async (t) => {
  const directory = storeFolder(t);
  const first = new WritingProcess(t, directory);
  await first.printed(1);
  await assert.rejects(openStore(directory), { code: "STORE_LOCKED" });
  await first.printed(first.lines.length + 50);
  await first.kill();
  const store = await testStore(t, {}, directory);
  assert.ok(store.runs.list({}).length > 0);
});

test("a second store in the same process is refused until the first is closed", async (t) => {
  const directory = storeFolder(t);
  const first = await testStore(t, {}, directory);
  await assert.rejects(openStore(directory), { code: "STORE_LOCKED" });
  await assert.rejects(openStore(directory), { code: "STORE_LOCKED" });
  const other = new WritingProcess(t, directory);
  await assert.rejects(other.printed(1), /STORE_LOCKED/);
  await first.keyValue("host").set("k", 1);
  await first.close();
  await testStore(t, {}, directory);
});

test("the folder stays locked while its writing thread is being replaced", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, tooMuch, directory);
  await assert.rejects(store.runs.append("none", tooManyRecords()), { code: "STORE_FAILED", message: /thread ended/ });
  await assert.rejects(openStore(directory), { code: "STORE_LOCKED" });
});
