import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { serveArtifacts } from "../../support/artifact-server.ts";
import { fetching, serve } from "./server.ts";

const content = "content";
const serveAny = () => serve((_, response) => void response.end(content));

test("a name that is no plain file name is refused, and nothing is made anywhere", async () => {
  await using server = await serveAny();
  using step = fetching();
  const names = ["../x", "a/b", "..", ".", "", "/etc/passwd", "a\\b", "a\nb", "a\0b", "x".repeat(256), "ü".repeat(128)];
  for (const filename of names) {
    const failure = await step.refused(`${server.url}/file`, { filename });
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_NAME_INVALID", false], filename);
    assert.ok(failure.message.length < 400);
  }
  assert.deepEqual(readdirSync(step.context.directory), []);
  assert.equal(server.requests.length, 0);
});

test("a name from the URL is held to the same", async () => {
  await using server = await serveAny();
  using step = fetching();
  const paths = ["%2e%2e%2fx", "a%2fb", "%2Fetc%2Fpasswd", "a%5Cb", "a%00b", "", "folder/", "..", "a%0Ab"];
  for (const path of paths) {
    const failure = await step.refused(`${server.url}/${path}`);
    assert.equal(failure.code, "DOWNLOAD_NAME_INVALID", path);
  }
  assert.deepEqual(readdirSync(step.context.directory), []);
});

test("a name from the URL is decoded, and one that cannot be decoded is taken as it is", async () => {
  await using server = await serveAny();
  using step = fetching();
  await step.fetch(`${server.url}/folder/a%20b%C3%BC?x=/y#/z`);
  await step.fetch(`${server.url}/100%`);
  assert.deepEqual(step.files(), { "a bü": content, "100%": content });
});

test("names of the greatest length are written, though two of them differ only at the end", async () => {
  await using server = await serveAny();
  using step = fetching();
  const names = [`${"x".repeat(254)}1`, `${"x".repeat(254)}2`, "ü".repeat(127), "𝄞".repeat(63)];
  await Promise.all(names.map((filename) => step.fetch(`${server.url}/file`, { filename })));
  assert.deepEqual(step.files(), Object.fromEntries(names.map((name) => [name, content])));
});

test("the folder is made, for its owner only, with those above it", async () => {
  await using server = await serveAny();
  using step = fetching();
  const directory = join(step.directory, "a", "b");
  const output = await step.fetch(`${server.url}/file`, { directory });
  assert.equal(output.path, join(directory, "file"));
  assert.deepEqual(readdirSync(directory), ["file"]);
});

test("folders outside of the allowed ones are refused, and not made", async () => {
  await using server = await serveAny();
  using step = fetching();
  const allowed = join(step.context.directory, "allowed");
  const outside = join(step.context.directory, "outside");
  using narrowed = fetching({ allowedDirectories: [allowed, join(step.context.directory, "also")] });
  mkdirSync(allowed);
  mkdirSync(outside);
  symlinkSync(outside, join(allowed, "link"));
  symlinkSync(join(outside, "new"), join(allowed, "dangling"));
  const refused = [
    outside,
    `${allowed}-not`,
    "/",
    join(outside, "new"),
    `${allowed}/../outside`,
    `${allowed}/missing/../../outside/new`,
    join(allowed, "link"),
    join(allowed, "link", "new"),
  ];
  for (const directory of refused) {
    const failure = await narrowed.refused(`${server.url}/file`, { directory });
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_DIRECTORY_NOT_ALLOWED", false], directory);
  }
  const dangling = await narrowed.refused(`${server.url}/file`, { directory: join(allowed, "dangling") });
  assert.ok(["DOWNLOAD_DIRECTORY_NOT_ALLOWED", "DOWNLOAD_WRITE_FAILED"].includes(dangling.code));
  assert.deepEqual(readdirSync(outside), []);
  assert.deepEqual(readdirSync(step.context.directory).sort(), ["allowed", "outside"]);
  for (const directory of [allowed, join(allowed, "below", "it"), join(step.context.directory, "also")])
    assert.equal((await narrowed.fetch(`${server.url}/file`, { directory })).directory, directory);
});

test("an allowed folder may itself be reached through a link", async () => {
  await using server = await serveAny();
  using step = fetching();
  const real = join(step.context.directory, "real");
  const link = join(step.context.directory, "link");
  mkdirSync(real);
  symlinkSync(real, link);
  for (const [allowed, directory] of [
    [link, real],
    [real, link],
    ["/", link],
  ] as const) {
    using narrowed = fetching({ allowedDirectories: [allowed] });
    assert.equal((await narrowed.fetch(`${server.url}/file`, { directory })).path, join(real, "file"));
  }
});

test("a target below a file, and one that is a folder, cannot be written, and a retry does not help", async () => {
  await using server = await serveArtifacts({ file: content });
  using step = fetching();
  const file = join(step.context.directory, "plain");
  writeFileSync(file, "");
  mkdirSync(join(step.directory, "file", "full"), { recursive: true });
  for (const [directory, reason] of [
    [join(file, "below"), "ENOTDIR"],
    [file, "EEXIST"],
    [step.directory, "EISDIR"],
    ["/proc/nothing/here", "ENOENT"],
  ] as const) {
    const failure = await step.refused(`${server.url}/file`, { directory });
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_WRITE_FAILED", false], directory);
    assert.deepEqual(failure.details, { reason });
  }
});

const cannotMount = (() => {
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return false;
  } catch {
    return "needs the right to mount";
  }
})();

test("a full disk fails, may be tried again, and leaves no part", { skip: cannotMount }, async () => {
  await using server = await serve((_, response) => {
    // In two parts, so that the size is not said beforehand.
    response.write(Buffer.alloc(1 << 20));
    response.end(Buffer.alloc(2 << 20));
  });
  using step = fetching();
  mkdirSync(step.directory);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", step.directory]);
  try {
    const failure = await step.refused(`${server.url}/file`);
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_DISK_FULL", true]);
    assert.deepEqual(failure.details, { reason: "ENOSPC" });
    // Where the size is known, nothing is asked of the disk.
    const known = await step.refused(`${server.url}/known`, { sizeBytes: 3 << 20 });
    assert.equal(known.code, "DOWNLOAD_DISK_FULL");
    assert.equal(known.details!.neededBytes, 3 << 20);
    assert.deepEqual(step.context.reports.at(-1)!.percent, undefined);
  } finally {
    execFileSync("umount", [step.directory]);
  }
});
