import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isThere, isWithin, look, makeFolder, realpathOfExisting, syncFolder } from "gantry/toolkit/folders";

const root = realpathSync(mkdtempSync(join(tmpdir(), "gantry-folders-")));
after(() => rmSync(root, { recursive: true }));
const at = (path: string) => join(root, path);

test("a path is resolved as far as it exists, through links, and not further", async () => {
  mkdirSync(at("real/inner"), { recursive: true });
  symlinkSync("real", at("link"));
  symlinkSync("nowhere", at("dangling"));
  assert.equal(await realpathOfExisting(at("link/inner/a/b")), at("real/inner/a/b"));
  assert.equal(await realpathOfExisting(at("link/../x")), at("x"));
  assert.equal(await realpathOfExisting(at("dangling/x")), at("dangling/x"));
  assert.equal(await realpathOfExisting("/"), "/");
  writeFileSync(at("file"), "");
  await assert.rejects(realpathOfExisting(at("file/x")), { code: "ENOTDIR" });
});

test("a folder holds itself and what is below it, and nothing whose name only begins alike", () => {
  assert.ok(isWithin("/srv", "/srv") && isWithin("/srv/a", "/srv") && isWithin("/srv", "/"));
  assert.ok(!isWithin("/srv2", "/srv") && !isWithin("/", "/srv"));
});

test("folders are made with those above them, for their owner only, and not over a file", async () => {
  await makeFolder(at("a/b/c"));
  await makeFolder(at("a/b/c"));
  assert.equal(statSync(at("a/b")).mode & 0o777, 0o700);
  await syncFolder(at("a/b"));
  writeFileSync(at("a/file"), "");
  await assert.rejects(makeFolder(at("a/file")), { code: "EEXIST" });
  await assert.rejects(makeFolder(at("a/file/below")), { code: "ENOTDIR" });
  await assert.rejects(makeFolder("/proc/nothing/here"), { code: "ENOENT" });
});

test("what is there is seen without following links", async () => {
  symlinkSync("nowhere", at("to-nowhere"));
  assert.equal((await look(at("to-nowhere")))?.isSymbolicLink(), true);
  writeFileSync(at("plain"), "");
  const found = ["plain", "nothing", "plain/x"].map((name) => isThere(at(name)));
  assert.deepEqual(await Promise.all(found), [true, false, false]);
});
