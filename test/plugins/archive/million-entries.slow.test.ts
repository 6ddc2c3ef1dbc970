// Archives of a few megabytes that have a million empty files in them, and one that has as many as are allowed.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, createWriteStream, opendirSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import type { ExtractOutput } from "../../../plugins/archive/plugin.types.ts";
import { peakMb } from "../../support/resident-memory.ts";
import { failureOf, runStep } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";
import { endOfTar, tarHeader } from "./tar-bytes.ts";
import { unpacking } from "./unpacking.ts";
import { endRecord, largeEnd, zipOf } from "./zip-bytes.ts";

const extractOnce = fileURLToPath(new URL("./extract-once.ts", import.meta.url));
const timeout = 1_200_000;
const atATime = 10_000;
// A thousand in each folder, as a file system likes it.
const nameOf = (index: number) => `${String(index).padStart(7, "0").slice(0, 4)}/${String(index).padStart(7, "0")}`;
const indexes = (from: number, count: number) =>
  Array.from({ length: Math.min(atATime, count - from) }, (_, index) => from + index);

async function writeTar(path: string, count: number): Promise<void> {
  function* blocks() {
    for (let at = 0; at < count; at += atATime)
      yield Buffer.concat(indexes(at, count).map((index) => tarHeader({ name: nameOf(index) })));
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
    writeSync(file, Buffer.concat(indexes(at, count).map((index) => renamed(local, 30, nameOf(index)))));
  for (let at = 0; at < count; at += atATime) {
    const entries = indexes(at, count).map((index) => {
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
    const begun = performance.now();
    const { output, peakMb } = await extractElsewhere(here.path, here.target);
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    const small = join(here.context.directory, "small");
    await write(small, 1);
    const reference = await extractElsewhere(small, join(here.context.directory, "small-target"));
    const moreMb = peakMb - reference.peakMb;
    t.diagnostic(`extracted in ${seconds} s, with ${moreMb.toFixed(0)} MB more than an archive of one file`);
    assert.equal(output.fileCount, count);
    assert.equal(output.files.length, 1000);
    assert.equal(countIn(here.target), count);
    assert.ok(moreMb < 100, `${peakMb.toFixed(0)} MB, and ${reference.peakMb.toFixed(0)} MB for one file`);
  });
}

/** In a process of its own, whose memory is seen from here. */
async function extractElsewhere(path: string, directory: string): Promise<{ output: ExtractOutput; peakMb: number }> {
  // The option is that of bin/gantry.
  const child = spawn(process.execPath, ["--max-semi-space-size=8", extractOnce, path, directory], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  try {
    let said = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      said += chunk;
      if (said.endsWith("\n")) break;
    }
    return { output: JSON.parse(said) as ExtractOutput, peakMb: peakMb(child.pid!) };
  } finally {
    child.stdin.end();
    await ended;
  }
}

function countIn(root: string): number {
  let found = 0;
  const folder = opendirSync(root, { recursive: true });
  for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) if (entry.isFile()) found++;
  folder.closeSync();
  return found;
}
