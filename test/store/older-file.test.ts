// A data folder that an older host has left.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { openStoreForReading } from "../../host/store/open.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { gantry } from "../commands/gantry.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";

const root = mkdtempSync(join(tmpdir(), "gantry-older-"));
const script = readFileSync(new URL("../fixtures/store-version-3.sql", import.meta.url), "utf8");
const ended = "01a21d0b-d23f-7053-8c25-f9419d739b5c";
const waiting = "01a21d0b-d84f-7916-aee4-0be9b6e6534d";
let folder: HostFolder;

before(async () => {
  folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins: [] }, {});
  await mkdir(folder.data, { mode: 0o700, recursive: true });
  const database = new DatabaseSync(join(folder.data, "gantry.db"), { enableForeignKeyConstraints: false });
  database.exec(script);
  database.close();
});
after(() => rmSync(root, { recursive: true }));

test("before a host has brought it up to date, its runs cannot be shown: STORE_OLDER", async () => {
  const { code, stderr } = await gantry("runs", "--data", folder.data);
  assert.equal(code, 1);
  assert.match(stderr, /version 3, .* version 4.*STORE_OLDER[\s\S]*gantry up/);
});

test("runs of an older version are there, and those that have not ended go on", async () => {
  const host = new HostProcess(folder);
  try {
    await host.ready();
    const sent = await gantry("signal", "go", "--value", "7", "--data", folder.data);
    assert.equal(sent.code, 0, sent.stderr);
    const reader = openStoreForReading(folder.data);
    try {
      await waitFor("the end of the run", () => reader.runs.get(waiting)?.status === "succeeded");
      assert.deepEqual(reader.runs.get(waiting)!.output, { said: 7 });
      const kinds = (id: string) => reader.runs.journal(id).map(({ sequence, kind, path }) => [sequence, kind, path]);
      assert.deepEqual(kinds(ended), [
        [1, "started", ""],
        [2, "running", "steps/0"],
        [3, "succeeded", "steps/0"],
        [4, "ended", ""],
      ]);
      assert.deepEqual(kinds(waiting), [
        [1, "started", ""],
        [2, "waiting", "steps/0"],
        [3, "succeeded", "steps/0"],
        [4, "waiting", "steps/1"],
        [5, "succeeded", "steps/1"],
        [6, "ended", ""],
      ]);
      assert.deepEqual(reader.runs.get(ended)!.output, { done: true });
    } finally {
      reader.close();
    }
  } finally {
    await host.stop();
  }
});
