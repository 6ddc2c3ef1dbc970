import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonObject } from "../../../host/sdk.ts";
import type { CreateOutput } from "../../../plugins/archive/plugin.types.ts";
import { failureOf, planStep, runStep, stepContext } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";

/** A folder with files, and a place for archives of it. */
function packing(files: Record<string, string | Buffer> = { "a.log": "a", "sub/b.log": "b", "sub/c.txt": "c" }) {
  const context = stepContext();
  const directory = join(context.directory, "content");
  const path = join(context.directory, "out/made.tar.gz");
  mkdirSync(directory);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(directory, name, ".."), { recursive: true });
    writeFileSync(join(directory, name), content);
    utimesSync(join(directory, name), 1_700_000_000, 1_700_000_000);
  }
  const pack = (input: JsonObject = {}, config: JsonObject = {}) =>
    runStep<CreateOutput>("archive", "create", { directory, path, ...input }, context, config);
  return {
    context,
    directory,
    path,
    pack,
    /** The names in it, as GNU tar sees them. */
    names: (archive = path) => execFileSync("tar", ["-tzf", archive], { encoding: "utf8" }).trimEnd().split("\n"),
    /** The code it fails with; no archive is there then. */
    async refused(input: JsonObject = {}, config: JsonObject = {}) {
      const { code } = await failureOf("archive", pack(input, config));
      assert.deepEqual(treeOf(context.directory)["out/made.tar.gz"], undefined);
      assert.equal(
        Object.keys(treeOf(context.directory)).find((name) => name.includes("gantry-part")),
        undefined,
      );
      return code;
    },
    [Symbol.dispose]: () => context[Symbol.dispose](),
  };
}

test("a folder is packed, and comes out again as it was", async () => {
  const long = `${"folder/".repeat(30)}${"é".repeat(100)}`;
  using here = packing({ "a.log": "a", "sub/.hidden": "h", größe: "", [long]: "long", large: randomBytes(3_000_000) });
  symlinkSync("../a.log", join(here.directory, "sub/link"));
  mkdirSync(join(here.directory, "empty"));
  const want = treeOf(here.directory);
  for (const name of ["one.tar.gz", "one.tgz", "two.tar.zst", "two.tzst"]) {
    const path = join(here.context.directory, name);
    const output = await here.pack({ path });
    const bytes = readFileSync(path);
    assert.deepEqual(output, {
      path,
      directory: here.context.directory,
      fileCount: 5,
      sizeBytes: bytes.length,
      digests: { SHA256: createHash("sha256").update(bytes).digest("hex") },
    });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const directory = join(here.context.directory, "again", name);
    await runStep("archive", "extract", { path, directory, links: "inside" }, here.context);
    assert.deepEqual(treeOf(directory), want, name);
    assert.equal(statSync(join(directory, "a.log")).mtimeMs, 1_700_000_000_000);
  }
});

test("GNU tar reads it, and owners are left out", async () => {
  using here = packing();
  await here.pack();
  assert.deepEqual(here.names(), ["a.log", "sub/", "sub/b.log", "sub/c.txt"]);
  const listing = execFileSync("tar", ["-tvzf", here.path, "--numeric-owner"], { encoding: "utf8" });
  assert.match(listing, /^\S+ 0\/0 /);
});

test("the same content gives the same bytes, whatever the order it was written in", async () => {
  using one = packing({ b: "b", a: "a", "c/d": "d" });
  using two = packing({ "c/d": "d", a: "a", b: "b" });
  utimesSync(join(one.directory, "c"), 1, 1);
  utimesSync(join(two.directory, "c"), 1, 1);
  assert.deepEqual((await one.pack()).digests, (await two.pack()).digests);
});

test("globs say what is packed and what is left out", async () => {
  using here = packing({
    "a.log": "",
    "b.txt": "",
    "sub/a.log": "",
    "sub/.a.log": "",
    ".git/config": "",
    "sub/deep/x": "",
  });
  const packed = async (globs: JsonObject) => {
    await here.pack(globs);
    return here.names().filter((name) => !name.endsWith("/"));
  };
  assert.deepEqual(await packed({ include: ["**/*.log"] }), ["a.log", "sub/.a.log", "sub/a.log"]);
  assert.deepEqual(await packed({ include: ["*.log"] }), ["a.log"]);
  assert.deepEqual(await packed({ include: ["sub"] }), ["sub/.a.log", "sub/a.log", "sub/deep/x"]);
  assert.deepEqual(await packed({ include: ["sub/**/x", "?.txt", "[ab].{log,x}"] }), ["a.log", "b.txt", "sub/deep/x"]);
  assert.deepEqual(await packed({ exclude: ["sub/**", "**/.git"] }), ["a.log", "b.txt"]);
  assert.deepEqual(await packed({ exclude: ["**/a.log", "**/.git/**", "sub/*"] }), ["b.txt"]);
  assert.deepEqual(await packed({ include: ["./sub//*.log"] }), ["sub/.a.log", "sub/a.log"]);
  for (const glob of ["/etc/*", "../*", "a/../../b", ".", "{a/b,c}"])
    assert.equal((await failureOf("archive", here.pack({ include: [glob] }))).code, "ARCHIVE_GLOB_INVALID", glob);
});

test("an archive in the folder itself is not packed into itself", async () => {
  using here = packing();
  const path = join(here.directory, "made.tar.gz");
  await here.pack({ path });
  await here.pack({ path, exclude: ["a.log"] });
  assert.deepEqual(here.names(path), ["sub/", "sub/b.log", "sub/c.txt"]);
});

test("an archive that is up to date is left as it is; one that is not is made anew", async () => {
  using here = packing();
  const first = await here.pack();
  const inode = () => statSync(here.path).ino;
  const before = inode();
  assert.deepEqual(await here.pack(), first);
  assert.equal(inode(), before);
  writeFileSync(join(here.directory, "a.log"), "A");
  assert.notDeepEqual(await here.pack(), first);
  writeFileSync(here.path, "damaged");
  await here.pack();
  assert.equal(here.names().length, 4);
  await here.pack({ exclude: ["sub"] });
  assert.deepEqual(here.names(), ["a.log"]);
  // What a crash has left beside it goes, also when the archive is up to date.
  const part = join(here.path, "../.made.tar.gz.gantry-part");
  writeFileSync(part, "half");
  await here.pack({ exclude: ["sub"] });
  assert.equal(existsSync(part), false);
});

test("links that lead out, and what is no file, are refused unless they are left out", async () => {
  using here = packing();
  const links: Record<string, string> = {
    absolute: join(here.directory, "a.log"),
    out: "../..",
    "out and back": "../content/a.log",
    nothing: "missing",
    circle: "circle",
  };
  for (const [name, target] of Object.entries(links)) {
    symlinkSync(target, join(here.directory, name));
    assert.equal(await here.refused({ include: [name] }), "ARCHIVE_LINK_REFUSED", name);
  }
  const exclude = Object.keys(links);
  execFileSync("mkfifo", [join(here.directory, "pipe")]);
  assert.equal(await here.refused({ exclude }), "ARCHIVE_DEVICE_REFUSED");
  writeFileSync(join(here.directory, "line\nend"), "");
  assert.equal(await here.refused({ exclude: [...exclude, "pipe"] }), "ARCHIVE_NAME_INVALID");
  await here.pack({ exclude: [...exclude, "pipe", "line*"] });
});

test("limits, missing folders, nothing to pack and unknown formats have their codes", async () => {
  using here = packing();
  assert.equal(await here.refused({ maxEntries: 3 }), "ARCHIVE_TOO_MANY_ENTRIES");
  assert.equal(await here.refused({}, { maxSizeBytes: 2 }), "ARCHIVE_TOO_LARGE");
  assert.equal(await here.refused({ directory: join(here.directory, "missing") }), "ARCHIVE_SOURCE_UNREADABLE");
  assert.equal(await here.refused({ directory: join(here.directory, "a.log") }), "ARCHIVE_SOURCE_UNREADABLE");
  assert.equal(await here.refused({ include: ["*.zip"] }), "ARCHIVE_SOURCE_EMPTY");
  assert.equal(await here.refused({ path: join(here.context.directory, "made.zip") }), "ARCHIVE_FORMAT_UNKNOWN");
  assert.equal(await here.refused({ path: join(here.directory, "a.log/x.tgz") }), "ARCHIVE_WRITE_FAILED");
  await here.pack({ path: join(here.context.directory, "odd"), format: "tar.zst" });
});

test("a file that becomes shorter meanwhile is told of, one that grows comes in as it was", async () => {
  using here = packing({ a: Buffer.alloc(40_000_000), log: "1" });
  const file = join(here.directory, "a");
  const packed = failureOf("archive", here.pack());
  const part = join(here.path, "../.made.tar.gz.gantry-part");
  // Written once its first bytes are packed, of which there are more than it reads at a time.
  while (!(statSync(part, { throwIfNoEntry: false })?.size ?? 0))
    await new Promise((resolve) => setTimeout(resolve, 1));
  truncateSync(file, 1000);
  const failure = await packed;
  assert.equal(failure.code, "ARCHIVE_SOURCE_CHANGED");
  assert.equal(failure.retryable, true);
});

test("paths outside the allowed folders are refused, for what is packed and for the archive", async () => {
  using here = packing();
  using elsewhere = packing();
  const config = { allowedDirectories: [here.directory] };
  symlinkSync(elsewhere.directory, join(here.directory, "way-out"));
  assert.equal(await here.refused({ directory: "/etc" }, config), "ARCHIVE_DIRECTORY_NOT_ALLOWED");
  assert.equal(
    await here.refused({ directory: join(here.directory, "way-out") }, config),
    "ARCHIVE_DIRECTORY_NOT_ALLOWED",
  );
  assert.equal(
    await here.refused({ path: join(elsewhere.directory, "x.tgz") }, config),
    "ARCHIVE_DIRECTORY_NOT_ALLOWED",
  );
  await here.pack({ directory: join(here.directory, "sub") }, config);
});

test("an abort ends the work with its own reason and leaves nothing", async () => {
  using here = packing({ large: Buffer.alloc(40_000_000) });
  const reason = new Error("cancelled");
  const packed = here.pack();
  here.context.controller.abort(reason);
  await assert.rejects(packed, (error) => error === reason);
  assert.deepEqual(readdirSync(here.context.directory).sort(), ["content"]);
});

test("the plan names the folder, the globs and the archive", async () => {
  using here = packing();
  const input = { directory: "/var/log", path: "/backup/logs.tar.gz" };
  const plan = (more: JsonObject) => planStep("archive", "create", { ...input, ...more }, here.context);
  assert.equal(await plan({}), "packs everything in /var/log into /backup/logs.tar.gz");
  assert.equal(await plan({ include: ["*.log", "*.1"] }), "packs *.log, *.1 in /var/log into /backup/logs.tar.gz");
});
