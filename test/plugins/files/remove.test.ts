import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { planStep } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";
import { touching } from "./touching.ts";

test("files, links, pipes and empty folders go", async () => {
  using here = touching({ file: "x", "empty/x": "" });
  await here.run("remove", { path: here.path("empty/x") });
  symlinkSync("nowhere", here.path("link"));
  execFileSync("mkfifo", [here.path("pipe")]);
  for (const name of ["file", "empty", "link", "pipe"])
    assert.deepEqual(await here.run("remove", { path: here.path(name) }), { path: here.path(name) });
  assert.deepEqual(here.files(), {});
});

test("what is not there is removed already", async () => {
  using here = touching({ file: "x" });
  for (const name of ["missing", "missing/deeper", "file/below"]) await here.run("remove", { path: here.path(name) });
  assert.deepEqual(here.files(), { file: "x" });
});

test("a folder with content goes only if that is said", async () => {
  using here = touching({ "folder/deep/file": "x", "folder/.hidden": "x", kept: "x" });
  const path = here.path("folder");
  assert.equal(await here.refused("remove", { path }), "FILES_NOT_EMPTY");
  await here.run("remove", { path, recursive: true });
  assert.deepEqual(here.files(), { kept: "x" });
});

test("links are removed and never followed, whatever their names are made of", async () => {
  using here = touching({ "folder/größe/x": "x", "elsewhere/file": "untouched" });
  symlinkSync(here.path("elsewhere"), here.path("folder/link"));
  symlinkSync("..", here.path("folder/größe/up"));
  writeFileSync(Buffer.concat([Buffer.from(`${here.path("folder/größe")}/`), Buffer.from([0xff, 0xfe])]), "no UTF-8");
  symlinkSync("folder", here.path("to-folder"));
  await here.run("remove", { path: here.path("to-folder"), recursive: true });
  assert.ok(existsSync(here.path("folder/größe/x")));
  await here.run("remove", { path: here.path("folder"), recursive: true });
  assert.deepEqual(here.files(), { elsewhere: "/", "elsewhere/file": "untouched" });
});

test("what is outside the allowed folders, and those folders themselves, stay", async () => {
  using here = touching({ "in/file": "x" });
  using elsewhere = touching({ file: "x" });
  const config = { allowedDirectories: [here.path("in")] };
  symlinkSync(elsewhere.place, here.path("in/way-out"));
  for (const path of [elsewhere.path("file"), here.path("in/way-out/file"), here.path("in"), here.place, "/"])
    assert.equal(await here.refused("remove", { path, recursive: true }, config), "FILES_NOT_ALLOWED", path);
  assert.equal(await here.refused("remove", { path: here.context.directory, recursive: true }), "FILES_NOT_ALLOWED");
  await here.run("remove", { path: here.path("in/way-out") }, config);
  assert.deepEqual(treeOf(elsewhere.place), { file: "x" });
  assert.deepEqual(here.files(), { in: "/", "in/file": "x" });
});

test("what the system does not let go is told of", async () => {
  using here = touching();
  assert.equal(await here.refused("remove", { path: "/proc/self" }), "FILES_FAILED");
});

test("an abort ends the removing with its own reason", async () => {
  using here = touching({ "folder/file": "x" });
  const reason = new Error("cancelled");
  here.context.controller.abort(reason);
  await assert.rejects(here.run("remove", { path: here.path("folder"), recursive: true }), (error) => error === reason);
  assert.equal(here.files()["folder/file"], "x");
});

test("the plan says what goes", async () => {
  using here = touching();
  const plan = (recursive: boolean) => planStep("files", "remove", { path: "/tmp/x", recursive }, here.context);
  assert.equal(await plan(false), "removes /tmp/x");
  assert.equal(await plan(true), "removes /tmp/x, with all that is in it");
});
