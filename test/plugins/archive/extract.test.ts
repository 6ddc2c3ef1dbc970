import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { cannotMount, smallDisk } from "../../support/small-disk.ts";
import { failureOf, planStep } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";
import { gnuName, pax, tarEntry, tarOf } from "./tar-bytes.ts";
import { unpacking } from "./unpacking.ts";
import { zip64Extra, zipOf } from "./zip-bytes.ts";

const tree = { app: "/", "app/main.js": "run()\n", "app/readme": "", "top.txt": "top" };
const tar = tarOf(
  { name: "./", type: "5", mode: 0o755 },
  { name: "./app/", type: "5", mode: 0o755 },
  { name: "./app/main.js", content: "run()\n", mode: 0o755 },
  { name: "./app/readme" },
  { name: "top.txt", content: "top" },
);
const zip = zipOf([
  { name: "app/", mode: 0o040755, method: 0 },
  { name: "app/main.js", content: "run()\n", mode: 0o100755 },
  { name: "app/readme", method: 0 },
  { name: "top.txt", content: "top", descriptor: true },
]);

for (const [format, archive] of Object.entries({
  tar,
  "tar.gz": gzipSync(tar),
  "tar.zst": zstdCompressSync(tar),
  zip,
}))
  test(`a ${format} is known by its beginning and unpacked`, async () => {
    using here = unpacking();
    const output = await here.unpack(archive);
    assert.deepEqual(here.files(), tree);
    assert.deepEqual(output, {
      directory: here.target,
      files: ["app/main.js", "app/readme", "top.txt"],
      fileCount: 3,
      sizeBytes: 9,
    });
    assert.equal(statSync(join(here.target, "app/main.js")).mode & 0o777, 0o755 & ~process.umask());
    assert.deepEqual(
      Object.keys(treeOf(here.place)).filter((name) => name.startsWith(".")),
      [],
    );
  });

test("what GNU tar makes of a folder comes out as it was", async () => {
  using here = unpacking();
  const source = join(here.context.directory, "source");
  const long = `${"folder/".repeat(30)}${"n".repeat(200)}`;
  mkdirSync(join(source, long, ".."), { recursive: true });
  for (const name of [long, "größe – 大きさ", ".hidden"]) writeFileSync(join(source, name), name);
  writeFileSync(join(source, "large"), randomBytes(3_000_001).toString("latin1"));
  const want = treeOf(source);
  for (const format of ["pax", "gnu"]) {
    const archive = execFileSync("tar", ["-C", source, `--format=${format}`, "-cf", "-", "."], { maxBuffer: 1 << 24 });
    const directory = join(here.place, format);
    await here.unpack(archive, { directory });
    assert.deepEqual(treeOf(directory), want, format);
  }
});

test("long names, of pax, of GNU and with a prefix, are whole", async () => {
  using here = unpacking();
  const long = (start: string) => `${start}/${"é".repeat(100)}`;
  const archive = tarOf(
    pax({ path: long("pax"), comment: "two\nlines" }),
    { name: "cut é".repeat(20), content: "1" },
    gnuName(long("gnu")),
    // As GNU writes it: the name cut in the middle of a character.
    { name: Buffer.from(long("gnu")).subarray(0, 100), content: "2", magic: "ustar  \0" },
    { name: "name", prefix: "a/prefix", content: "3" },
    pax({ path: "with\u2028separator", size: "3" }),
    tarEntry({ content: "456" }),
    pax({ comment: "of git" }, "g"),
    { name: "last", content: "7" },
  );
  await here.unpack(archive);
  const files = Object.entries(here.files()).filter(([, content]) => content !== "/");
  assert.deepEqual(Object.fromEntries(files), {
    [long("pax")]: "1",
    [long("gnu")]: "2",
    "a/prefix/name": "3",
    "with\u2028separator": "456",
    last: "7",
  });
});

test("names that differ in case only are two files where the system tells them apart", async () => {
  using here = unpacking();
  await here.unpack(tarOf({ name: "A", content: "upper" }, { name: "a", content: "lower" }));
  assert.deepEqual(here.files(), { A: "upper", a: "lower" });
});

test("nobody's rights are more than the umask allows, and no special bit is kept", async () => {
  using here = unpacking();
  const before = process.umask(0o027);
  try {
    const archive = tarOf(
      { name: "all", mode: 0o7777 },
      { name: "none", mode: 0 },
      { name: "folder", type: "5", mode: 0o7777 },
      { name: "closed", type: "5", mode: 0 },
      { name: "closed/file" },
    );
    await here.unpack(archive);
  } finally {
    process.umask(before);
  }
  const mode = (name: string) => (statSync(join(here.target, name)).mode & 0o7777).toString(8);
  assert.equal(mode("all"), "750");
  assert.equal(mode("none"), "600");
  assert.equal(mode("folder"), "750");
  assert.equal(mode("closed"), "700");
  assert.equal(mode("."), "700");
});

test("a zip comes out with folders that it does not name, old and new names, and sizes of 64 bits", async () => {
  using here = unpacking();
  const facts = { size: 0xffffffff, packedSize: 0xffffffff };
  await here.unpack(
    zipOf(
      [
        { name: "a/b", content: "from DOS", isFromDos: true },
        { name: "größe", content: "utf-8", flags: 0x800 },
        { name: "long", method: 0, content: "zip64", local: facts, central: facts, extra: zip64Extra(5, 5) },
        { name: Buffer.from([0x63, 0x82]), content: "code page 437", isFromDos: true },
      ],
      { large: {}, comment: "made by hand" },
    ),
  );
  assert.deepEqual(here.files(), { a: "/", "a/b": "from DOS", größe: "utf-8", long: "zip64", cé: "code page 437" });
});

test("an archive of nothing gives an empty folder", async () => {
  using here = unpacking();
  assert.equal((await here.unpack(tarOf())).fileCount, 0);
  assert.deepEqual(here.files(), {});
  using there = unpacking();
  assert.equal((await there.unpack(zipOf([]))).fileCount, 0);
  assert.ok(existsSync(there.target));
});

test("links that stay inside come out when they are wanted", async () => {
  using here = unpacking();
  const archive = tarOf(
    { name: "lib/libx.so", type: "2", linkName: "libx.so.1" },
    { name: "lib/libx.so.1", content: "library" },
    { name: "bin/tool", type: "2", linkName: "../lib/libx.so" },
    { name: "copy", type: "1", linkName: "lib/libx.so.1" },
  );
  assert.equal(await here.refused(archive), "ARCHIVE_LINK_REFUSED");
  const { files } = await here.unpack(archive, { links: "inside" });
  assert.deepEqual(files, ["lib/libx.so.1", "copy"]);
  assert.equal(readFileSync(join(here.target, "bin/tool"), "utf8"), "library");
  assert.equal(statSync(join(here.target, "copy")).nlink, 2);
  assert.equal(here.files()["lib/libx.so"], "-> libx.so.1");
});

test("what is unpacked already is recognised, until anything of it or the archive changes", async () => {
  using here = unpacking();
  const first = await here.unpack(tar);
  const inode = () => statSync(join(here.target, "top.txt")).ino;
  const before = inode();
  assert.deepEqual(await here.unpack(tar), first);
  assert.equal(inode(), before);
  writeFileSync(join(here.target, "top.txt"), "TOP");
  assert.equal((await failureOf("archive", here.unpack(tar))).code, "ARCHIVE_TARGET_EXISTS");
  await here.unpack(tar, { replace: true });
  assert.deepEqual(here.files(), tree);
  assert.notEqual(inode(), before);
  chmodSync(join(here.target, "app/readme"), 0o600);
  assert.equal(await here.refused(tar), "ARCHIVE_TARGET_EXISTS");
  await here.unpack(tarOf({ name: "other" }), { replace: true });
  assert.deepEqual(here.files(), { other: "" });
});

test("a folder with content is left alone, unless it is to be replaced", async () => {
  using here = unpacking();
  mkdirSync(here.target);
  writeFileSync(join(here.target, "kept"), "kept");
  assert.equal(await here.refused(tar), "ARCHIVE_TARGET_EXISTS");
  assert.equal(await here.refused(tar.subarray(0, 1000), { replace: true }), "ARCHIVE_BROKEN");
  await here.unpack(tar, { replace: true });
  assert.deepEqual(here.files(), tree);
  using file = unpacking();
  writeFileSync(file.target, "a file");
  assert.equal(await file.refused(tar), "ARCHIVE_TARGET_EXISTS");
});

test("an empty folder, and one whose parents are missing, are filled", async () => {
  using here = unpacking();
  mkdirSync(here.target);
  await here.unpack(tar);
  assert.deepEqual(here.files(), tree);
  const directory = join(here.place, "not/there/yet");
  await here.unpack(tar, { directory });
  assert.deepEqual(treeOf(directory), tree);
});

test("an abort ends the work with its own reason and leaves nothing", async () => {
  using here = unpacking();
  const reason = new Error("cancelled");
  const unpacked = here.unpack(tarOf({ content: Buffer.alloc(50_000_000) }));
  here.context.controller.abort(reason);
  await assert.rejects(unpacked, (error) => error === reason);
  assert.deepEqual(treeOf(here.place), { neighbour: "untouched" });
  using there = unpacking();
  there.onProgress = () => there.context.controller.abort(reason);
  const later = there.unpack(tarOf({ content: Buffer.alloc(50_000_000) }));
  await assert.rejects(later, (error) => error === reason);
  assert.deepEqual(treeOf(there.place), { neighbour: "untouched" });
});

test("the limits of the step go before those of the plugin, and hold to the byte", async () => {
  using here = unpacking();
  const two = tarOf({ name: "a", content: "12345" }, { name: "b", content: "67890" });
  assert.equal(await here.refused(two, {}, { maxEntries: 1 }), "ARCHIVE_TOO_MANY_ENTRIES");
  assert.equal(await here.refused(two, {}, { maxSizeBytes: 9 }), "ARCHIVE_TOO_LARGE");
  assert.equal(await here.refused(two, { maxSizeBytes: 0 }, { maxSizeBytes: 9 }), "ARCHIVE_TOO_LARGE");
  await here.unpack(two, { maxEntries: 2, maxSizeBytes: 10 }, { maxEntries: 1, maxSizeBytes: 9 });
  using there = unpacking();
  const inZip = zipOf([
    { name: "a", content: "12345" },
    { name: "b", content: "67890" },
  ]);
  assert.equal(await there.refused(inZip, { maxEntries: 1 }), "ARCHIVE_TOO_MANY_ENTRIES");
  assert.equal(await there.refused(inZip, { maxSizeBytes: 9 }), "ARCHIVE_TOO_LARGE");
  await there.unpack(inZip, { maxEntries: 2, maxSizeBytes: 10 });
});

test("paths outside the allowed folders are refused, also behind links; the run's own folder is allowed", async () => {
  using here = unpacking();
  using elsewhere = unpacking();
  const config = { allowedDirectories: [here.place] };
  symlinkSync(elsewhere.place, join(here.place, "way-out"));
  const outside = { directory: join(here.place, "way-out/target") };
  assert.equal(await here.refused(tar, outside, config), "ARCHIVE_DIRECTORY_NOT_ALLOWED");
  assert.deepEqual(treeOf(elsewhere.place), { neighbour: "untouched" });
  await here.unpack(tar, {}, config);
  const own = { directory: join(here.context.directory, "own") };
  await here.unpack(tar, own, { allowedDirectories: [elsewhere.place] });
  assert.deepEqual(treeOf(own.directory), tree);
});

test("what is no archive, no file, or not there is told apart", async () => {
  using here = unpacking();
  for (const content of ["", "short", "x".repeat(10_000), "PK", "\x1f"])
    assert.equal(await here.refused(Buffer.from(content, "latin1")), "ARCHIVE_FORMAT_UNKNOWN", content.slice(0, 5));
  assert.equal(await here.refused(gzipSync("x".repeat(10_000))), "ARCHIVE_BROKEN");
  const pipe = join(here.context.directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const path of [join(here.place, "missing"), here.place, "/dev/zero", pipe])
    assert.equal(await here.refused(tar, { path }), "ARCHIVE_UNREADABLE");
});

test("a folder that cannot be made is a failure to write", async () => {
  using here = unpacking();
  for (const directory of [join(here.place, "neighbour/below"), "/proc/below"])
    assert.equal(await here.refused(tar, { directory }), "ARCHIVE_WRITE_FAILED");
});

test("the plan names the archive and the folder", async () => {
  using here = unpacking();
  const input = { path: "/a.tar.gz", directory: "/opt/app" };
  assert.equal(await planStep("archive", "extract", input, here.context), "unpacks /a.tar.gz into /opt/app");
});

test("a full disk is told of as such, may have room later, and nothing is left on it", {
  skip: cannotMount,
}, async () => {
  using here = unpacking();
  using disk = smallDisk("1m");
  const failure = await failureOf(
    "archive",
    here.unpack(tarOf({ content: Buffer.alloc(2 << 20) }), { directory: disk.path("target") }),
  );
  assert.deepEqual([failure.code, failure.retryable], ["ARCHIVE_DISK_FULL", true]);
  assert.deepEqual(treeOf(disk.place), {});
});
