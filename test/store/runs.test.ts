import assert from "node:assert/strict";
import { test } from "node:test";
import type { Run, RunChange } from "../../host/store/store.ts";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { storeFolder, testStore } from "./store-folder.ts";

test("a run comes back as it was accepted, with its journal, document and delivery", async (t) => {
  const directory = storeFolder(t);
  const run = sampleRun({ group: "updates", input: { text: "„Ü“ 🙂 \0 \u2028", deep: [[{}]] } });
  const records = [sampleRecord(1, { data: null }), sampleRecord(2, { path: "steps/0/é" })];
  const first = await testStore(t, {}, directory);
  await first.runs.accept(run, documents('{"name":"ü"}'), records, { key: "session/7", fingerprint: "abc" });
  await first.close();

  const { runs } = await testStore(t, {}, directory);
  assert.deepEqual(runs.get(run.id), run);
  assert.deepEqual(runs.journal(run.id), records);
  assert.equal(runs.documentText(run.document), '{"name":"ü"}');
  assert.deepEqual(runs.delivery("session/7"), { fingerprint: "abc", runId: run.id });
});

test("what does not exist is undefined or empty", async (t) => {
  const { runs } = await testStore(t);
  assert.equal(runs.get("none"), undefined);
  assert.equal(runs.documentText("none"), undefined);
  assert.equal(runs.delivery("none"), undefined);
  assert.deepEqual([runs.journal("none"), runs.find("", 10), runs.list({}), runs.unfinished()], [[], [], [], []]);
});

test("a change touches the members it names and no others", async (t) => {
  const { runs } = await testStore(t);
  const run = sampleRun({ status: "queued", startedAt: null });
  await runs.accept(run, documents("{}"), []);
  const error = { code: "STEP_FAILED", message: "no", retryable: false, details: { exitCode: 3 } };
  const changes: RunChange[] = [
    { status: "running", startedAt: 5 },
    { output: { a: 1 } },
    { status: "failed", endedAt: 9, error },
    { output: null, error: null },
  ];
  let expected = run;
  for (const change of changes) {
    await runs.append(run.id, [], change);
    expected = { ...expected, ...change };
    assert.deepEqual(runs.get(run.id), expected);
  }
});

test("records may be handed over again, but a number stands for one record only", async (t) => {
  const { runs } = await testStore(t);
  const run = sampleRun();
  await runs.accept(run, documents("{}"), [sampleRecord(1)]);
  await runs.append(run.id, [sampleRecord(2), sampleRecord(3)]);
  await runs.append(run.id, [sampleRecord(2), sampleRecord(3)], { status: "waiting" });
  const other = [sampleRecord(4), sampleRecord(3, { data: "another" })];
  await assert.rejects(runs.append(run.id, other, { status: "failed" }), {
    code: "STORE_FAILED",
    message: /another record 3/,
  });
  assert.deepEqual(
    runs.journal(run.id),
    [1, 2, 3].map((sequence) => sampleRecord(sequence)),
  );
  assert.equal(runs.get(run.id)!.status, "waiting");
});

test("records and changes of a run that does not exist are refused", async (t) => {
  const { runs } = await testStore(t);
  await assert.rejects(runs.append("none", [sampleRecord(1)]), { code: "STORE_FAILED", retryable: false });
  await assert.rejects(runs.append("none", [], { status: "failed" }), { code: "STORE_FAILED", message: /no run none/ });
});

test("runs are listed newest first by workflow and status, and unfinished ones in order of acceptance", async (t) => {
  const { runs } = await testStore(t);
  const made = [
    sampleRun({ id: "b1", status: "queued" }),
    sampleRun({ id: "a1", status: "succeeded", endedAt: 1 }),
    sampleRun({ id: "a2", workflow: "other" }),
    sampleRun({ id: "a%", status: "undoing" }),
  ];
  // Handed over in one turn, so that all of them have the same time.
  await Promise.all(made.map((run) => runs.accept(run, documents("{}"), [])));
  const ids = (found: Run[]) => found.map(({ id }) => id);
  assert.deepEqual(ids(runs.list({})), ["a%", "a2", "a1", "b1"]);
  assert.deepEqual(ids(runs.list({ workflow: "install", limit: 2 })), ["a%", "a1"]);
  assert.deepEqual(ids(runs.list({ status: ["queued", "running"] })), ["a2", "b1"]);
  assert.deepEqual(ids(runs.unfinished()), ["b1", "a2", "a%"]);
  assert.deepEqual(ids(runs.find("a", 10)), ["a%", "a1", "a2"]);
  assert.deepEqual(ids(runs.find("a", 2)), ["a%", "a1"]);
  assert.deepEqual(ids(runs.find("a%", 10)), ["a%"]);
  await runs.append("b1", [], { status: "cancelled", endedAt: 3 });
  assert.deepEqual(ids(runs.unfinished()), ["a2", "a%"]);
});

test("a later delivery takes the place of an earlier one with the same key", async (t) => {
  const { runs } = await testStore(t);
  const [first, second] = [sampleRun(), sampleRun()];
  await runs.accept(first, documents("{}"), [], { key: "k", fingerprint: "one" });
  await runs.accept(second, documents("{}"), [], { key: "k", fingerprint: "two" });
  assert.deepEqual(runs.delivery("k"), { fingerprint: "two", runId: second.id });
});

test("a run that is accepted a second time is refused and takes its delivery with it", async (t) => {
  const { runs } = await testStore(t);
  const run = sampleRun();
  await runs.accept(run, documents("{}"), [sampleRecord(1)]);
  await assert.rejects(runs.accept(run, documents("{}"), [sampleRecord(2)], { key: "k", fingerprint: "f" }), {
    code: "STORE_FAILED",
  });
  assert.equal(runs.delivery("k"), undefined);
  assert.equal(runs.journal(run.id).length, 1);
});
