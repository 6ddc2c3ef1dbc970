import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { storeFolder, testStore } from "./store-folder.ts";

const textOf = (letter: string, length = 100_000) => letter.repeat(length);

function largeFiles(directory: string, runId: string): string[] {
  const folder = join(directory, "large", runId);
  return existsSync(folder) ? readdirSync(folder) : [];
}

test("values above 64 KiB are in files for the host's user alone, and come back as they were", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  const run = sampleRun({ input: { text: textOf("i") }, event: { text: textOf("e") } });
  const small = sampleRecord(1, { data: textOf("s", 60_000) });
  const large = sampleRecord(2, { data: { text: textOf("ü") } });
  await store.runs.accept(run, documents("{}"), [small, large]);
  await store.runs.append(run.id, [], { output: textOf("o") });
  const expected = { ...run, output: textOf("o") };
  assert.deepEqual(store.runs.get(run.id), expected);
  assert.deepEqual(store.runs.journal(run.id), [small, large]);
  const files = largeFiles(directory, run.id);
  assert.equal(files.length, 4);
  for (const file of files) assert.equal(statSync(join(directory, "large", run.id, file)).mode & 0o777, 0o600);
  assert.equal(statSync(join(directory, "large")).mode & 0o777, 0o700);
  await store.close();
  assert.ok(!readFileSync(join(directory, "gantry.db")).includes(textOf("o", 10_000)));
  const again = await testStore(t, {}, directory);
  assert.deepEqual(again.runs.unfinished(), [expected]);
  assert.deepEqual(again.runs.journal(run.id), [small, large]);
});

test("a value that looks like the mark of a file is a value", async (t) => {
  const { runs } = await testStore(t);
  const data = `large:100000:${"0".repeat(64)}`;
  const run = sampleRun({ input: data });
  await runs.accept(run, documents("{}"), [sampleRecord(1, { data })]);
  assert.equal(runs.get(run.id)!.input, data);
  assert.equal(runs.journal(run.id)[0]!.data, data);
});

test("a large record handed over again is the same record, another one is refused", async (t) => {
  const { runs } = await testStore(t);
  const run = sampleRun();
  const record = sampleRecord(1, { data: textOf("a") });
  await runs.accept(run, documents("{}"), [record]);
  await runs.append(run.id, [record]);
  await assert.rejects(runs.append(run.id, [sampleRecord(1, { data: textOf("b") })]), { code: "STORE_FAILED" });
});

test("a large value whose file is missing or changed says so with a code, and the rest is there", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  const run = sampleRun({ status: "succeeded", endedAt: 1 });
  const records = ["a", "b", "c"].map((letter, index) => sampleRecord(index + 1, { data: textOf(letter) }));
  await store.runs.accept(run, documents("{}"), records);
  const file = (letter: string) => {
    const folder = join(directory, "large", run.id);
    return join(folder, readdirSync(folder).find((name) => readFileSync(join(folder, name), "utf8")[1] === letter)!);
  };
  rmSync(file("a"));
  writeFileSync(file("b"), JSON.stringify(textOf("x")));
  const [first, second, third] = store.runs.journal(run.id).map(({ data }) => data as { damaged?: { code: string } });
  assert.equal(first!.damaged!.code, "STORE_DAMAGED");
  assert.equal(second!.damaged!.code, "STORE_DAMAGED");
  assert.equal(third, textOf("c"));
  assert.equal(store.recovered.length, 2);
});

test("pruning removes the large values that only it held", async (t) => {
  const directory = storeFolder(t);
  const { runs } = await testStore(t, {}, directory);
  const run = sampleRun();
  const inner = (sequence: number, letter: string) =>
    sampleRecord(sequence, { path: `steps/0/${sequence}`, data: textOf(letter) });
  await runs.accept(run, documents("{}"), [inner(1, "a"), inner(2, "b"), inner(3, "c")]);
  await runs.append(run.id, [sampleRecord(4, { path: "steps/0", data: textOf("b") })], undefined, {
    under: "steps/0",
    keep: ["steps/0/3"],
  });
  assert.deepEqual(
    runs.journal(run.id).map(({ sequence }) => sequence),
    [3, 4],
  );
  assert.deepEqual(
    runs.journal(run.id).map(({ data }) => (data as string)[0]),
    ["c", "b"],
  );
  assert.equal(largeFiles(directory, run.id).length, 2);
});

test("a start removes files that a crash has left between them and their row", async (t) => {
  const running = storeFolder(t);
  const store = await testStore(t, {}, running);
  const run = sampleRun();
  await store.runs.accept(run, documents("{}"), [sampleRecord(1, { data: textOf("a") })]);
  const directory = storeFolder(t);
  cpSync(running, directory, { recursive: true });
  writeFileSync(join(directory, "large", run.id, "f".repeat(64)), "left");
  writeFileSync(join(directory, "large", run.id, `${"e".repeat(64)}.part`), "left");
  cpSync(join(directory, "large", run.id), join(directory, "large", sampleRun().id), { recursive: true });
  const again = await testStore(t, {}, directory);
  assert.deepEqual(readdirSync(join(directory, "large")), [run.id]);
  assert.equal(largeFiles(directory, run.id).length, 1);
  assert.equal(again.runs.journal(run.id)[0]!.data, textOf("a"));
});
