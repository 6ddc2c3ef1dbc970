// What history knows of hostile tar archives, class by class. Whatever is refused leaves nothing behind, inside or
// outside; `refused` looks at both.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  binarySize,
  endOfTar,
  gnuName,
  pax,
  paxRecord,
  type TarFields,
  tarEntry,
  tarHeader,
  tarOf,
} from "./tar-bytes.ts";
import { unpacking } from "./unpacking.ts";

/** It begins well: what came before has to go, too. */
const good = { name: "good", content: "good" };

/** Each of these archives is refused with this code, packed in every way. */
function refuses(what: string, code: string, archives: Record<string, Buffer>, more = {}) {
  test(what, async () => {
    for (const [name, archive] of Object.entries(archives)) {
      using here = unpacking();
      assert.equal(await here.refused(archive, more), code, name);
      assert.equal(await here.refused(gzipSync(archive), more), code, `${name}, gzip`);
      assert.equal(await here.refused(zstdCompressSync(archive), more), code, `${name}, zstd`);
    }
  });
}

const named = (...names: (string | Buffer)[]) =>
  Object.fromEntries(names.map((name) => [`${name}`, tarOf(good, { name, content: "evil" })]));

refuses("absolute names are refused, wherever they are given", "ARCHIVE_NAME_ABSOLUTE", {
  ...named("/etc/passwd", "//etc/passwd", "/", "C:/windows", "c:\\windows"),
  folder: tarOf(good, { name: "/tmp/evil/", type: "5" }),
  prefix: tarOf(good, { name: "evil", prefix: "/tmp" }),
  pax: tarOf(good, pax({ path: "/tmp/evil" }), tarEntry({ content: "evil" })),
  gnu: tarOf(good, gnuName("/tmp/evil"), tarEntry({ content: "evil" })),
});

refuses("names that lead out are refused, wherever they are given", "ARCHIVE_NAME_ESCAPES", {
  ...named("../evil", "a/../../evil", "a/..", "..", "./../evil", "a/b/../../..", "good/../evil"),
  folder: tarOf(good, { name: "../", type: "5" }),
  prefix: tarOf(good, { name: "evil", prefix: ".." }),
  pax: tarOf(good, pax({ path: "../evil" }), tarEntry({ content: "evil" })),
  gnu: tarOf(good, gnuName(`${"a/../".repeat(30)}../evil`), tarEntry({ content: "evil" })),
});

refuses("names that no file should have are refused", "ARCHIVE_NAME_INVALID", {
  ...named("line\nend", "escape\x1b[2J", "delete\x7f", "."),
  "not UTF-8": tarOf(good, { name: Buffer.from([0x61, 0xff, 0xfe]) }),
  "half a character": tarOf(good, { name: Buffer.from([0x61, 0xc3]) }),
  "overlong slash": tarOf(good, { name: Buffer.from([0x2e, 0x2e, 0xc0, 0xaf, 0x61]) }),
  "a surrogate": tarOf(good, { name: Buffer.from([0xed, 0xa0, 0x80]) }),
  empty: tarOf(good, { name: "" }),
  "NUL in pax": tarOf(good, pax({ path: "safe\0/evil" }), tarEntry({ content: "evil" })),
  "pax not UTF-8": tarOf(good, pax({ path: Buffer.from([0xff]) }), tarEntry({})),
  "too long": tarOf(good, pax({ path: "a/".repeat(2100) }), tarEntry({})),
  "a name too long": tarOf(good, gnuName("b".repeat(256)), tarEntry({})),
});

const link = (name: string, linkName: string, type = "2"): TarFields => ({ name, type, linkName });

refuses("links are refused unless they are wanted", "ARCHIVE_LINK_REFUSED", {
  symbolic: tarOf(good, link("link", "good")),
  hard: tarOf(good, link("link", "good", "1")),
  "through a link": tarOf(link("link", "/tmp"), { name: "link/evil", content: "evil" }),
  "long target": tarOf(good, gnuName("/tmp/evil", "K"), tarEntry(link("link", "good"))),
});

refuses(
  "links that lead out are refused also where links are wanted",
  "ARCHIVE_LINK_REFUSED",
  {
    absolute: tarOf(good, link("link", "/etc/passwd")),
    parent: tarOf(good, link("link", "..")),
    deep: tarOf(good, link("a/b/link", "../../../evil")),
    "behind another link": tarOf(good, link("here", "."), link("link", "here/..")),
    "a chain": tarOf({ name: "a/b/c", type: "5" }, link("x", "a/b/c"), link("y", "x/../../.."), link("z", "y/..")),
    nothing: tarOf(good, link("link", "missing")),
    "below a file": tarOf(good, link("link", "good/..")),
    "a circle": tarOf(good, link("one", "two"), link("two", "one")),
    itself: tarOf(good, link("one", "one")),
    empty: tarOf(good, link("one", "")),
    "hard, to a link": tarOf(good, link("one", "good"), link("two", "one", "1")),
    "hard, to nothing": tarOf(good, link("one", "missing", "1")),
    "hard, to a folder": tarOf({ name: "folder", type: "5" }, link("one", "folder", "1")),
    "target in pax": tarOf(good, pax({ linkpath: "../../evil" }), tarEntry(link("one", "good"))),
    "target in GNU": tarOf(good, gnuName("../../evil", "K"), tarEntry(link("one", "good"))),
  },
  { links: "inside" },
);

refuses(
  "hard links to what lies outside are refused by their names",
  "ARCHIVE_NAME_ESCAPES",
  { up: tarOf(good, link("one", "../neighbour", "1")), deep: tarOf(good, link("one", "a/../../neighbour", "1")) },
  { links: "inside" },
);

refuses(
  "writing through a link is refused",
  "ARCHIVE_NAME_DUPLICATE",
  {
    "a file below": tarOf(good, link("link", "."), { name: "link/evil", content: "evil" }),
    "a folder below": tarOf(good, link("link", "."), { name: "link/evil/", type: "5" }),
    "over a link": tarOf(good, link("link", "good"), { name: "link", content: "evil" }),
    "a folder over a link": tarOf(good, link("link", "."), { name: "link", type: "5" }),
    "a link over a folder": tarOf({ name: "folder/file" }, link("folder", "/tmp")),
    "a link over a file": tarOf(good, link("good", "/tmp")),
  },
  { links: "inside" },
);

refuses("one name twice is refused", "ARCHIVE_NAME_DUPLICATE", {
  files: tarOf(good, { name: "good", content: "other" }),
  "written otherwise": tarOf({ name: "a/b" }, { name: "./a//./b" }),
  "a file over a folder": tarOf({ name: "a/b" }, { name: "a" }),
  "a folder over a file": tarOf({ name: "a" }, { name: "a", type: "5" }),
  "below a file": tarOf({ name: "a" }, { name: "a/b" }),
});

refuses("devices and pipes are refused", "ARCHIVE_DEVICE_REFUSED", {
  character: tarOf(good, { name: "null", type: "3" }),
  block: tarOf(good, { name: "sda", type: "4" }),
  pipe: tarOf(good, { name: "pipe", type: "6" }),
});

refuses("what has a meaning of its own for some programs only is refused", "ARCHIVE_UNSUPPORTED", {
  "GNU sparse": tarOf(good, { name: "sparse", type: "S" }),
  "pax sparse": tarOf(good, pax({ "GNU.sparse.major": "1", "GNU.sparse.name": "evil" }), tarEntry({})),
  "another volume": tarOf(good, { type: "M" }),
  "GNU names": tarOf(good, { type: "N" }),
  "Solaris pax": tarOf(good, { type: "X" }),
  unknown: tarOf(good, { type: "Z" }),
  "a global name": tarOf(good, pax({ path: "evil" }, "g"), tarEntry({})),
  "a global size": tarOf(good, pax({ size: "0" }, "g"), tarEntry({})),
});

const raw = (text: string) => tarEntry({ name: "PaxHeader", type: "x", content: text });
const withSize = (size: Buffer) => Buffer.concat([tarEntry(good), tarHeader({ size }), endOfTar]);

refuses("what contradicts itself, or ends too early, is refused", "ARCHIVE_BROKEN", {
  checksum: tarOf(good, { name: "file", checksumError: 1 }),
  "no end": tarEntry(good),
  "half an end": Buffer.concat([tarEntry(good), Buffer.alloc(512)]),
  "one empty block": Buffer.concat([tarEntry(good), Buffer.alloc(512), tarEntry({ name: "hidden" }), endOfTar]),
  "cut in a header": tarOf(good).subarray(0, 1200),
  "cut in the content": tarOf({ content: "x".repeat(5000) }).subarray(0, 3000),
  "cut in the padding": tarOf({ content: "x" }).subarray(0, 700),
  "something behind": Buffer.concat([tarOf(good), tarOf({ name: "hidden" })]),
  "garbage behind": Buffer.concat([tarOf(good), Buffer.alloc(5000), Buffer.from("x")]),
  "size: no number": withSize(Buffer.from("12x45678901\0")),
  "size: negative": withSize(Buffer.alloc(12, 0xff)),
  "size: too large to count": withSize(binarySize([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
  "a folder with content": Buffer.concat([tarHeader({ type: "5", content: "x" }), Buffer.alloc(512), endOfTar]),
  "a link with content": Buffer.concat([
    tarHeader({ type: "2", linkName: "a", content: "x" }),
    Buffer.alloc(512),
    endOfTar,
  ]),
  "a pipe's name alone": tarOf(good, pax({ path: "alone" })),
  "a pax length of zero": tarOf(raw("0 path=evil\n"), tarEntry({})),
  "a pax length too large": tarOf(raw("99 path=evil\n"), tarEntry({})),
  "a pax length too small": tarOf(raw("9 path=evil\n"), tarEntry({})),
  "a pax length that is none": tarOf(raw("0x0c path=a\n"), tarEntry({})),
  "a pax record without a value": tarOf(raw("7 path\n"), tarEntry({})),
  "a pax record without an end": tarOf(raw("12 path=evil"), tarEntry({})),
  "pax: two names": tarOf(
    tarEntry({ type: "x", content: Buffer.concat([paxRecord("path", "a"), paxRecord("path", "../evil")]) }),
    tarEntry({}),
  ),
  "pax and GNU: two names": tarOf(pax({ path: "a" }), gnuName("b"), tarEntry({})),
  "pax: two headers": tarOf(pax({ path: "a" }), pax({ path: "b" }), tarEntry({})),
  "pax: a size that is none": tarOf(pax({ size: "-1" }), tarEntry({})),
  "pax: a size too large to count": tarOf(pax({ size: "99999999999999999999" }), tarEntry({})),
  "pax: too large": tarOf({ name: "PaxHeader", type: "x", content: Buffer.alloc((1 << 20) + 1, "x") }, tarEntry({})),
  "pax: a size larger than the rest": tarOf(pax({ size: "5000" }), tarEntry({ content: "evil" })),
});

test("the size of an extended header hides no entry from some programs", async () => {
  // Taken for the size of the name that follows, it would swallow the next header.
  using here = unpacking();
  const archive = tarOf(pax({ size: "4" }), gnuName("named"), tarEntry({ content: "good" }), { name: "next" });
  await here.unpack(archive);
  assert.deepEqual(here.files(), { named: "good", next: "" });
});

test("a size that cannot be is refused by the limit before a byte is written", async () => {
  using here = unpacking();
  for (const size of [Buffer.from("77777777777\0"), binarySize([0x1f, 0xff, 0xff, 0xff, 0xff, 0xff])])
    assert.equal(await here.refused(withSize(size), { maxRatio: 1e12, maxSizeBytes: 8e9 }), "ARCHIVE_TOO_LARGE");
});

test("a bomb is stopped by its ratio, in gzip, in zstd, and when it is made of headers", async () => {
  using here = unpacking();
  const zeros = tarOf({ content: Buffer.alloc(20_000_000) });
  for (const pack of [gzipSync, zstdCompressSync]) {
    assert.equal(await here.refused(pack(zeros)), "ARCHIVE_RATIO_TOO_HIGH");
    // The size says little, the stream goes on.
    assert.equal(
      await here.refused(pack(Buffer.concat([tarOf(good), Buffer.alloc(50_000_000)]))),
      "ARCHIVE_RATIO_TOO_HIGH",
    );
    const headers = Buffer.concat(Array<Buffer>(40_000).fill(pax({ comment: "x" }, "g")));
    assert.equal(await here.refused(pack(tarOf(headers, tarEntry(good)))), "ARCHIVE_RATIO_TOO_HIGH");
  }
  await here.unpack(gzipSync(zeros), { maxRatio: 100_000 });
});

test("many small files are stopped by their number", async () => {
  using here = unpacking();
  const many = tarOf(...Array.from({ length: 50 }, (_, index) => ({ name: `folder/${index}`, content: "x" })));
  assert.equal(await here.refused(many, { maxEntries: 49 }), "ARCHIVE_TOO_MANY_ENTRIES");
});

test("a compressed stream that is cut, damaged or followed by something is refused", async () => {
  using here = unpacking();
  for (const pack of [gzipSync, zstdCompressSync]) {
    const whole = pack(tarOf(good, { name: "more", content: "x".repeat(10_000) }));
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1]! ^= 0xff;
    for (const archive of [whole.subarray(0, -3), whole.subarray(0, 20), damaged])
      assert.equal(await here.refused(archive), "ARCHIVE_BROKEN");
    assert.equal(await here.refused(Buffer.concat([whole, Buffer.from("garbage!")])), "ARCHIVE_BROKEN");
    assert.equal(await here.refused(Buffer.concat([whole, pack(tarOf({ name: "hidden" }))])), "ARCHIVE_BROKEN");
  }
});

test("a stream that wants more memory than zstd itself would give is refused", async () => {
  using here = unpacking();
  // A frame's header: no single segment, and a window of 2^31 bytes.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00]);
  assert.equal(await here.refused(frame), "ARCHIVE_UNSUPPORTED");
});

test("what is left of refused archives is nothing, also where the target stood before", async () => {
  using here = unpacking();
  await here.unpack(tarOf(good));
  for (const archive of [tarOf({ name: "../x" }), tarOf({ name: "new" }, link("l", "/"))])
    await here.refused(archive, { replace: true });
  assert.deepEqual(here.files(), { good: "good" });
  assert.deepEqual(readdirSync(join(here.context.directory, "place")).sort(), ["neighbour", "target"]);
});
