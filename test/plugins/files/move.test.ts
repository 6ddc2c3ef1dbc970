import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cannotMount, smallDisk } from "../../support/small-disk.ts";
import { planStep } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";
import { touching } from "./touching.ts";

test("a file, a folder and a link are moved, into folders that are made", async () => {
  using here = touching({ file: "x", "folder/deep/file": "y" });
  symlinkSync("file", here.path("link"));
  const inode = statSync(here.path("file")).ino;
  for (const name of ["file", "folder", "link"]) {
    const to = here.path(`new/${name}`);
    assert.deepEqual(await here.run("move", { from: here.path(name), to }), { path: to });
  }
  assert.deepEqual(here.files(), {
    new: "/",
    "new/file": "x",
    "new/folder": "/",
    "new/folder/deep": "/",
    "new/folder/deep/file": "y",
    "new/link": "-> file",
  });
  assert.equal(statSync(here.path("new/file")).ino, inode);
});

test("what is in the way stays, unless a file is to be replaced", async () => {
  using here = touching({ new: "new", old: "old", "folder/x": "", "other/x": "" });
  const move = (from: string, to: string, replace = false) => ({ from: here.path(from), to: here.path(to), replace });
  assert.equal(await here.refused("move", move("new", "old")), "FILES_EXISTS");
  assert.equal(await here.refused("move", move("new", "folder", true)), "FILES_EXISTS");
  assert.equal(await here.refused("move", move("folder", "other", true)), "FILES_EXISTS");
  assert.equal(await here.refused("move", move("folder", "folder/deeper")), "FILES_EXISTS");
  assert.deepEqual(here.files().old, "old");
  await here.run("move", move("new", "old", true));
  assert.deepEqual(here.files(), { folder: "/", "folder/x": "", old: "new", other: "/", "other/x": "" });
});

test("what is not there cannot be moved, and what is in its place is in it already", async () => {
  using here = touching({ file: "x" });
  assert.equal(await here.refused("move", { from: here.path("missing"), to: here.path("new") }), "FILES_MISSING");
  assert.equal(await here.refused("move", { from: here.path("missing"), to: here.path("file") }), "FILES_MISSING");
  await here.run("move", { from: here.path("file"), to: here.path("file") });
  assert.deepEqual(here.files(), { file: "x" });
});

test("of two names of one file one is left", async () => {
  using here = touching({ file: "x" });
  linkSync(here.path("file"), here.path("other"));
  await here.run("move", { from: here.path("file"), to: here.path("other"), replace: true });
  assert.deepEqual(here.files(), { other: "x" });
});

test("after a crash the move is recognised, and what has come to the old place stays", async () => {
  using here = touching({ log: "old" });
  const input = { from: here.path("log"), to: here.path("archive/log") };
  await here.run("move", input);
  assert.deepEqual(await here.again("move", input), { path: input.to });
  writeFileSync(input.from, "new");
  await here.again("move", input);
  assert.deepEqual(here.files(), { archive: "/", "archive/log": "old", log: "new" });
});

test("to another file system it is copied with its rights and times, read back, and then removed", {
  skip: cannotMount,
}, async () => {
  using here = touching({ "folder/run.sh": "script", "folder/deep/x": "y" });
  using there = smallDisk();
  chmodSync(here.path("folder/run.sh"), 0o751);
  chmodSync(here.path("folder/deep"), 0o500);
  symlinkSync("run.sh", here.path("folder/link"));
  utimesSync(here.path("folder/run.sh"), 1_000_000, 2_000_000);
  utimesSync(here.path("folder"), 1_000_000, 2_000_000);
  const want = treeOf(here.path("folder"));
  const to = there.path("new/folder");
  await here.run("move", { from: here.path("folder"), to });
  assert.deepEqual(treeOf(to), want);
  assert.deepEqual(here.files(), {});
  assert.deepEqual(
    Object.keys(treeOf(there.place)).filter((name) => name.includes("gantry")),
    [],
  );
  const { mode, mtimeMs } = statSync(join(to, "run.sh"));
  assert.equal(mode & 0o7777, 0o751);
  assert.equal(mtimeMs, 2_000_000_000);
  assert.equal(statSync(to).mtimeMs, 2_000_000_000);
  assert.equal(statSync(join(to, "deep")).mode & 0o7777, 0o500);
  await here.run("move", { from: join(to, "run.sh"), to: here.path("back") });
  assert.equal(here.files().back, "script");
});

test("a crash after the copying leaves the removing of the original to the next attempt", {
  skip: cannotMount,
}, async () => {
  using here = touching({ "folder/a": "a", "folder/b": "b" });
  using there = smallDisk();
  const input = { from: here.path("folder"), to: there.path("folder") };
  const { ino } = statSync(input.from);
  await here.run("move", input);
  // As if half of it were still there.
  const { original } = here.context.checkpoints.at(-1) as { original: { ino: number } };
  assert.equal(original.ino, ino);
  execFileSync("mkdir", [input.from]);
  writeFileSync(join(input.from, "b"), "b");
  original.ino = statSync(input.from).ino;
  await here.again("move", input);
  assert.deepEqual(here.files(), {});
  assert.deepEqual(treeOf(there.place), { folder: "/", "folder/a": "a", "folder/b": "b" });
});

test("what is no file, folder or link is not copied, and nothing is left of the beginning", {
  skip: cannotMount,
}, async () => {
  using here = touching({ "folder/a": "a" });
  using there = smallDisk();
  execFileSync("mkfifo", [here.path("folder/pipe")]);
  const input = { from: here.path("folder"), to: there.path("folder") };
  assert.equal(await here.refused("move", input), "FILES_KIND_REFUSED");
  assert.deepEqual(treeOf(there.place), {});
  assert.equal(here.files()["folder/a"], "a");
});

test("a file that changes while it is copied stays where it is", { skip: cannotMount }, async () => {
  using here = touching({ file: "x".repeat(30_000_000) });
  using there = smallDisk();
  const part = there.path(".file.gantry-move");
  const moved = here.failure("move", { from: here.path("file"), to: there.path("file") });
  while (!(statSync(part, { throwIfNoEntry: false })?.size ?? 0))
    await new Promise((resolve) => setTimeout(resolve, 1));
  writeFileSync(here.path("file"), "now", { flag: "a" });
  const failure = await moved;
  assert.equal(failure.code, "FILES_COPY_DIFFERS");
  assert.equal(failure.retryable, true);
  assert.deepEqual(treeOf(there.place), {});
  assert.equal(statSync(here.path("file")).size, 30_000_003);
});

test("a full disk leaves the original where it is, and nothing of the copy", { skip: cannotMount }, async () => {
  using here = touching({ "folder/small": "x", "folder/large": "x".repeat(200_000) });
  using there = smallDisk("100k");
  assert.equal(await here.refused("move", { from: here.path("folder"), to: there.path("folder") }), "FILES_DISK_FULL");
  assert.deepEqual(treeOf(there.place), {});
  assert.equal(here.files()["folder/small"], "x");
});

test("both ends must be allowed", async () => {
  using here = touching({ file: "x" });
  using elsewhere = touching({ file: "x" });
  const config = { allowedDirectories: [here.place] };
  symlinkSync(elsewhere.place, here.path("way-out"));
  const refused = (from: string, to: string) => here.refused("move", { from, to }, config);
  assert.equal(await refused(elsewhere.path("file"), here.path("new")), "FILES_NOT_ALLOWED");
  assert.equal(await refused(here.path("file"), elsewhere.path("new")), "FILES_NOT_ALLOWED");
  assert.equal(await refused(here.path("file"), here.path("way-out/new")), "FILES_NOT_ALLOWED");
  assert.equal(await refused(here.place, here.path("new")), "FILES_NOT_ALLOWED");
  assert.deepEqual(treeOf(elsewhere.place), { file: "x" });
});

test("an abort leaves the file where it was", async () => {
  using here = touching({ file: "x" });
  const reason = new Error("cancelled");
  here.context.controller.abort(reason);
  await assert.rejects(
    here.run("move", { from: here.path("file"), to: here.path("new") }),
    (error) => error === reason,
  );
  assert.deepEqual(here.files(), { file: "x" });
});

test("the plan names both ends", async () => {
  using here = touching();
  const plan = (replace: boolean) => planStep("files", "move", { from: "/a", to: "/b", replace }, here.context);
  assert.equal(await plan(false), "moves /a to /b");
  assert.equal(await plan(true), "moves /a to /b, in place of what is there");
});
