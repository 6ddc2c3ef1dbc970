import assert from "node:assert/strict";
import { linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cannotMount, smallDisk } from "../../support/small-disk.ts";
import { planStep } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";
import { touching } from "./touching.ts";

test("a text is written as it is, in folders that are made", async () => {
  using here = touching();
  const path = here.path("a/b/file");
  const content = "größe\nno end of line";
  assert.deepEqual(await here.run("write", { path, content }), { path, sizeBytes: Buffer.byteLength(content) });
  assert.deepEqual(here.files(), { a: "/", "a/b": "/", "a/b/file": content });
  assert.equal(statSync(path).mode & 0o7777, 0o600);
  assert.equal(statSync(here.path("a")).mode & 0o7777, 0o700);
});

test("a value is written as JSON, null too", async () => {
  using here = touching();
  await here.run("write", { path: here.path("object"), json: { a: [1, "two"] } });
  await here.run("write", { path: here.path("null"), json: null });
  assert.deepEqual(JSON.parse(readFileSync(here.path("object"), "utf8")), { a: [1, "two"] });
  assert.equal(here.files().null, "null\n");
});

test("the rights are those asked for, whatever the umask", async () => {
  using here = touching();
  const before = process.umask(0o077);
  try {
    await here.run("write", { path: here.path("file"), content: "x", mode: "0755" });
    await here.run("write", { path: here.path("other"), content: "x", mode: "640" });
  } finally {
    process.umask(before);
  }
  assert.equal(statSync(here.path("file")).mode & 0o7777, 0o755);
  assert.equal(statSync(here.path("other")).mode & 0o7777, 0o640);
  await assert.rejects(here.run("write", { path: here.path("x"), content: "", mode: "4755" }), /the input/);
});

test("what is there is replaced as a whole; another name of it keeps the old content", async () => {
  using here = touching({ file: "old content" });
  linkSync(here.path("file"), here.path("other-name"));
  await here.run("write", { path: here.path("file"), content: "new" });
  assert.deepEqual(here.files(), { file: "new", "other-name": "old content" });
});

test("a link at the end is replaced, and what it leads to is left alone", async () => {
  using here = touching({ target: "untouched" });
  symlinkSync("target", here.path("link"));
  await here.run("write", { path: here.path("link"), content: "new" });
  assert.deepEqual(here.files(), { link: "new", target: "untouched" });
});

test("a file that is already so is left as it is; other content or rights are not so", async () => {
  using here = touching();
  const path = here.path("file");
  const write = (more: { content?: string; mode?: string } = {}) =>
    here.run("write", { path, content: "same", ...more });
  await write();
  const inode = () => statSync(path).ino;
  const first = inode();
  await write();
  assert.equal(inode(), first);
  await write({ mode: "0644" });
  assert.notEqual(inode(), first);
  const second = inode();
  await write({ content: "SAME", mode: "0644" });
  assert.notEqual(inode(), second);
  assert.equal(readFileSync(path, "utf8"), "SAME");
});

test("what a crash has left beside it goes with the next attempt, also when the file is right already", async () => {
  using here = touching({ file: "right", ".file.gantry-write": "half" });
  await here.run("write", { path: here.path("file"), content: "right" });
  assert.deepEqual(here.files(), { file: "right" });
});

test("content given twice or not at all, and a folder in the way, are refused", async () => {
  using here = touching({ "folder/file": "x" });
  const path = here.path("new");
  assert.equal(await here.refused("write", { path }), "FILES_CONTENT_REQUIRED");
  assert.equal(await here.refused("write", { path, content: "a", json: "a" }), "FILES_CONTENT_REQUIRED");
  assert.equal(await here.refused("write", { path: here.path("folder"), content: "a" }), "FILES_EXISTS");
  assert.deepEqual(here.files(), { folder: "/", "folder/file": "x" });
});

test("what the system refuses is told of with its reason, and is no matter for a retry", async () => {
  using here = touching({ file: "x" });
  for (const path of [here.path("file/below"), "/proc/below/file", here.path("n".repeat(300))]) {
    const failure = await here.failure("write", { path, content: "a" });
    assert.equal(failure.code, "FILES_FAILED", path);
    assert.equal(failure.retryable, false);
    assert.equal(typeof (failure.details as { reason: string }).reason, "string");
  }
  assert.deepEqual(here.files(), { file: "x" });
});

test("a full disk is told of as such, may have room later, and nothing is left on it", {
  skip: cannotMount,
}, async () => {
  using here = touching();
  using disk = smallDisk("100k");
  const failure = await here.failure("write", { path: disk.path("file"), content: "x".repeat(200_000) });
  assert.deepEqual([failure.code, failure.retryable], ["FILES_DISK_FULL", true]);
  assert.deepEqual(treeOf(disk.place), {});
});

test("only what is below the allowed folders, and the run's own, may be written, also behind links", async () => {
  using here = touching();
  using elsewhere = touching();
  const config = { allowedDirectories: [here.place] };
  const refused = (path: string) => here.refused("write", { path, content: "evil" }, config);
  symlinkSync(elsewhere.place, here.path("way-out"));
  assert.equal(await refused(elsewhere.path("file")), "FILES_NOT_ALLOWED");
  assert.equal(await refused(here.path("way-out/file")), "FILES_NOT_ALLOWED");
  assert.equal(await refused(here.path("way-out/new/file")), "FILES_NOT_ALLOWED");
  assert.equal(await refused(`${here.place}/../../file`), "FILES_NOT_ALLOWED");
  assert.equal(await refused(`${here.place}-beside`), "FILES_NOT_ALLOWED");
  assert.equal(await refused(here.place), "FILES_NOT_ALLOWED");
  assert.equal(await refused("/"), "FILES_NOT_ALLOWED");
  assert.deepEqual(treeOf(elsewhere.place), {});
  await here.run("write", { path: here.path("file"), content: "x" }, config);
  await here.run("write", { path: join(here.context.directory, "own"), content: "x" }, { allowedDirectories: [] });
});

test("an abort leaves the file as it was", async () => {
  using here = touching({ file: "old" });
  const reason = new Error("cancelled");
  const written = here.run("write", { path: here.path("file"), content: "x".repeat(1_000_000) });
  here.context.controller.abort(reason);
  await assert.rejects(written, (error) => error === reason);
  assert.deepEqual(here.files(), { file: "old" });
});

test("two runs that write one file leave the whole of one of them", async () => {
  using here = touching();
  const contents = ["a", "b", "c"].map((letter) => letter.repeat(100_000));
  await Promise.all(contents.map((content) => here.run("write", { path: here.path("file"), content })));
  assert.deepEqual(Object.keys(here.files()), ["file"]);
  assert.ok(contents.includes(here.files().file!));
});

test("the plan says how much is written where", async () => {
  using here = touching();
  writeFileSync(here.path("x"), "");
  const plan = await planStep("files", "write", { path: "/etc/motd", content: "größe" }, here.context);
  assert.equal(plan, "writes 7 bytes to /etc/motd");
});
