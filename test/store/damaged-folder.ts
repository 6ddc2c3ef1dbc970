// A data folder with something of everything in it, what can happen to its files, and a host's use of it.

import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { GantryError } from "../../host/errors.ts";
import { openStore } from "../../host/store/open.ts";
import type { Store } from "../../host/store/store.ts";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";
import { storeFolder } from "./store-folder.ts";

const large = "x".repeat(100_000);
export const open = sampleRun({ id: "01900000-0000-7000-8000-000000000001" });
export const ended = sampleRun({
  id: "01900000-0000-7000-8000-000000000002",
  status: "succeeded",
  endedAt: Date.now(),
});

/** A folder with something of everything in it, closed; its last good copies are as new as it is. */
export async function filledFolder(t: TestContext): Promise<string> {
  const directory = storeFolder(t);
  const store = await openStore(directory);
  await fill(store);
  await store.close();
  return directory;
}

export async function fill(store: Store): Promise<void> {
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
export async function survives(directory: string, damaged: string): Promise<void> {
  try {
    await useOnce(directory);
    const recovered = await useOnce(directory);
    const again = recovered.filter(({ setAside }) => setAside !== null);
    assert.deepEqual(again, [], "the second start found damaged files again");
  } catch (error) {
    throw new Error(`with ${damaged}`, { cause: error });
  }
}

async function useOnce(directory: string): Promise<Store["recovered"]> {
  const store = await openStore(directory);
  try {
    await useAll(store);
  } finally {
    await store.close();
  }
  return store.recovered;
}

export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((name) => !name.endsWith("-shm"));
}

export function copyOf(t: TestContext, directory: string): string {
  const copy = storeFolder(t);
  cpSync(directory, copy, { recursive: true });
  return copy;
}

export const damages: Record<string, (file: string) => void> = {
  emptied: (file) => truncateSync(file, 0),
  "cut to one byte": (file) => truncateSync(file, Math.min(1, statSync(file).size)),
  "cut within its first page": (file) => truncateSync(file, Math.min(1_000, statSync(file).size)),
  "cut to half": (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  "short of its last byte": (file) => truncateSync(file, Math.max(0, statSync(file).size - 1)),
  zeroed: (file) => writeFileSync(file, Buffer.alloc(statSync(file).size)),
  overwritten: (file) => writeFileSync(file, "something else ".repeat(1_000)),
  missing: (file) => rmSync(file),
};

/** Changes one bit. */
export function flip(file: string, place: number, bit: number): void {
  const bytes = readFileSync(file);
  bytes[place] = bytes[place]! ^ (1 << bit);
  writeFileSync(file, bytes);
}

/** The same numbers in every run. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}
