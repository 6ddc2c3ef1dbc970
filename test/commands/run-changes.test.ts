import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RunChanges } from "../../host/commands/run-changes.ts";
import { openStore } from "../../host/store/open.ts";
import type { Run, Store } from "../../host/store/store.ts";
import { documents, sampleRun } from "../store/sample-run.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-changes-"));
let store: Store;

before(async () => {
  store = await openStore(folder);
});
after(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function accept(changes: Partial<Run> = {}): Promise<string> {
  const run = sampleRun(changes);
  await store.runs.accept(run, documents("{}"), []);
  return run.id;
}

test("each change of a run is told once, and each new run, however many have begun meanwhile", async () => {
  const first = await accept();
  const ended = await accept({ status: "succeeded", endedAt: Date.now() });
  const changes = new RunChanges(store.runs, { limit: 10 });
  const told = () => changes.take().map(({ id, status }) => [id, status]);
  assert.deepEqual(told(), [
    [first, "running"],
    [ended, "succeeded"],
  ]);
  assert.deepEqual(told(), []);
  await store.runs.append(first, [], { status: "waiting" });
  assert.deepEqual(told(), [[first, "waiting"]]);
  // More than one question brings, and one that is older than all of them changes, too.
  const many: string[] = [];
  for (let count = 0; count < 100; count++) many.push(await accept());
  await store.runs.append(first, [], { status: "succeeded", endedAt: Date.now() });
  assert.deepEqual(told(), [[first, "succeeded"], ...many.map((id) => [id, "running"])]);
  assert.deepEqual(told(), []);
});

test("of one workflow only its own are told, and the limit bounds the beginning only", async () => {
  const mine = { workflow: "mine" };
  const ids = [await accept(mine), await accept(mine), await accept(mine)];
  const changes = new RunChanges(store.runs, { workflow: "mine", limit: 2 });
  assert.deepEqual(
    changes.take().map(({ id }) => id),
    ids.slice(1),
  );
  await accept({ workflow: "other" });
  const more = [await accept(mine), await accept(mine), await accept(mine)];
  assert.deepEqual(
    changes.take().map(({ id }) => id),
    more,
  );
});

test("where there was nothing, the first run is told", async () => {
  const changes = new RunChanges(store.runs, { workflow: "new", limit: 2 });
  assert.deepEqual(changes.take(), []);
  const id = await accept({ workflow: "new" });
  assert.deepEqual(
    changes.take().map((run) => run.id),
    [id],
  );
});
