// Archives of a few megabytes that have a million empty files in them, and one that has as many as are allowed.

import assert from "node:assert/strict";
import { closeSync, createWriteStream, opendirSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { createGzip } from "node:zlib";
import type { ExtractOutput } from "../../../plugins/archive/plugin.types.ts";
import { failureOf, runStep } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";
import { endOfTar, tarHeader } from "./tar-bytes.ts";
import { unpacking } from "./unpacking.ts";
import { endRecord, largeEnd, zipOf } from "./zip-bytes.ts";

const timeout = 1_200_000;
const atATime = 10_000;
// A thousand in each folder, as a file system likes it.
const nameOf = (index: number) => `${String(index).padStart(7, "0").slice(0, 4)}/${String(index).padStart(7, "0")}`;
const indexes = (from: number) => Array.from({ length: atATime }, (_, index) => from + index);

async function writeTar(path: string, count: number): Promise<void> {
  function* blocks() {
    for (let at = 0; at < count; at += atATime)
      yield Buffer.concat(indexes(at).map((index) => tarHeader({ name: nameOf(index) })));
    yield endOfTar;
  }
  await pipeline(Readable.from(blocks()), createGzip({ level: 1 }), createWriteStream(path));
}

async function writeZip(path: string, count: number): Promise<void> {
  const whole = zipOf([{ name: nameOf(0), method: 0 }]);
  const localBytes = whole.indexOf("PK\x01\x02", 0, "latin1");
  const local = whole.subarray(0, localBytes);
  const central = whole.subarray(localBytes, whole.indexOf("PK\x05\x06", localBytes, "latin1"));
  const file = openSync(path, "w");
  for (let at = 0; at < count; at += atATime)
    writeSync(file, Buffer.concat(indexes(at).map((index) => renamed(local, 30, nameOf(index)))));
  for (let at = 0; at < count; at += atATime) {
    const entries = indexes(at).map((index) => {
      const entry = renamed(central, 46, nameOf(index));
      entry.writeUInt32LE(index * localBytes, 42);
      return entry;
    });
    writeSync(file, Buffer.concat(entries));
  }
  const [size, offset] = [count * central.length, count * localBytes];
  writeSync(file, Buffer.concat([largeEnd(count, size, offset, {}), endRecord(0xffff, size, offset)]));
  closeSync(file);
}

function renamed(bytes: Buffer, at: number, name: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(name, at);
  return copy;
}

const residentMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1024;

for (const [format, write] of [
  ["tar.gz", writeTar],
  ["zip", writeZip],
] as const) {
  test(`a ${format} of a million empty files is refused, and nothing is left of it`, { timeout }, async (t) => {
    using here = unpacking();
    await write(here.path, 1_000_000);
    const before = treeOf(here.place);
    const begun = performance.now();
    const input = { path: here.path, directory: here.target, maxRatio: 1e6 };
    const { code } = await failureOf("archive", runStep("archive", "extract", input, here.context));
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    assert.equal(code, "ARCHIVE_TOO_MANY_ENTRIES");
    assert.deepEqual(treeOf(here.place), before);
    t.diagnostic(`${statSync(here.path).size} bytes, refused after ${seconds} s`);
  });

  test(`a ${format} of as many empty files as are allowed is extracted`, { timeout }, async (t) => {
    using here = unpacking();
    const count = 100_000;
    await write(here.path, count);
    const idleMb = residentMb();
    let peakMb = 0;
    here.onProgress = () => {
      peakMb = Math.max(peakMb, residentMb());
    };
    const begun = performance.now();
    const input = { path: here.path, directory: here.target, maxRatio: 1e6 };
    const output = await runStep<ExtractOutput>("archive", "extract", input, here.context);
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    t.diagnostic(`extracted in ${seconds} s, with ${(peakMb - idleMb).toFixed(0)} MB more`);
    assert.equal(output.fileCount, count);
    assert.equal(output.files.length, 1000);
    assert.equal(countIn(here.target), count);
    assert.ok(peakMb - idleMb < 200, `${peakMb - idleMb} MB`);
  });
}

function countIn(root: string): number {
  let found = 0;
  const folder = opendirSync(root, { recursive: true });
  for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) if (entry.isFile()) found++;
  folder.closeSync();
  return found;
}
