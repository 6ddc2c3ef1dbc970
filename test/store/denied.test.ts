// Another user of the machine and the data folder; needs root, to become somebody else.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { storeFolder, testStore } from "./store-folder.ts";

const source = (file: string) => JSON.stringify(new URL(`../../host/${file}`, import.meta.url).href);
const program = `process.setgid(65534); process.setuid(65534);
const { openStore, openStoreForReading } = await import(${source("store/open.ts")});
const { checkDataFolder } = await import(${source("doctor/data-folder.ts")});
const [folder] = process.argv.slice(1);
const refusal = async (open) => {
  try {
    (await open(folder)).close();
  } catch ({ code, remedy }) {
    return { code, remedy };
  }
};
const found = checkDataFolder(folder).filter(({ state }) => state === "missing");
console.log(JSON.stringify({ read: await refusal(openStoreForReading), own: await refusal(openStore), found }));`;

interface Told {
  read: { code: string; remedy: string };
  own: { code: string };
  found: { about: string; remedy: string }[];
}

async function askAsAnother(t: TestContext, mode: number): Promise<Told> {
  const folder = storeFolder(t);
  await (await testStore(t, {}, folder)).close();
  chmodSync(folder, mode);
  const args = ["--input-type=module-typescript", "-e", program, folder];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Told;
}

const skip = process.getuid?.() === 0 ? false : "needs root";

test("a data folder of another user is STORE_DENIED, and the remedy says whose command it must be", {
  skip,
}, async (t) => {
  const { read, own, found } = await askAsAnother(t, 0o700);
  assert.equal(read.code, "STORE_DENIED");
  assert.match(read.remedy, /as the user of the host/);
  assert.equal(own.code, "STORE_DENIED");
  assert.deepEqual(
    found.map(({ about }) => about),
    ["data folder"],
  );
});

test("so are the files of one that was opened up", { skip }, async (t) => {
  const { read, found } = await askAsAnother(t, 0o755);
  assert.equal(read.code, "STORE_DENIED");
  assert.deepEqual(
    found.map(({ about }) => about),
    ["data folder", "database"],
  );
  assert.match(found[1]!.remedy, /as the user of the host/);
});
