// What an archive costs beside its content: the names that are held, and the folders that names lead through.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { endOfTar, pax, tarEntry, tarOf } from "./tar-bytes.ts";
import { unpacking } from "./unpacking.ts";
import { zipOf } from "./zip-bytes.ts";

const formats = {
  tar: (names: string[]) =>
    gzipSync(Buffer.concat([...names.flatMap((path) => [pax({ path }), tarEntry({ name: "x" })]), endOfTar])),
  zip: (names: string[]) => zipOf(names.map((name) => ({ name, method: 0 }))),
};

for (const [format, archiveOf] of Object.entries(formats)) {
  test(`folders that a ${format} names only in passing are counted, too, up to the number of entries`, async () => {
    using here = unpacking();
    const deep = archiveOf([`${"a/".repeat(25)}one`, `${"b/".repeat(25)}two`]);
    assert.equal(await here.refused(deep, { maxEntries: 49 }), "ARCHIVE_TOO_MANY_ENTRIES");
    assert.equal((await here.unpack(deep, { maxEntries: 50 })).fileCount, 2);
  });

  test(`a few entries of a ${format} with very long names are stopped before the names fill the memory`, async () => {
    using here = unpacking();
    const folders = `${"f".repeat(250)}/`.repeat(11);
    const long = archiveOf(Array.from({ length: 400 }, (_, index) => `${folders}${index}`.padEnd(3000, "x")));
    assert.equal(await here.refused(long, { maxEntries: 400, maxRatio: 1e6 }), "ARCHIVE_TOO_MANY_ENTRIES");
    assert.equal((await here.unpack(long, { maxEntries: 2000, maxRatio: 1e6 })).fileCount, 400);
  });
}

test("a folder that is an entry of its own does not count as one that is none", async () => {
  using here = unpacking();
  const folders = Array.from({ length: 50 }, (_, index) => ({ name: `${index}/`, type: "5" }));
  const { fileCount } = await here.unpack(tarOf(...folders, { name: `${"a/".repeat(45)}f` }), { maxEntries: 51 });
  assert.equal(fileCount, 1);
});
