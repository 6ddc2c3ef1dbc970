import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ChecksumOutput } from "../../../plugins/verify/plugin.types.ts";
import { failureOf, planStep, runStep, stepContext } from "../../support/step-context.ts";

const content = Buffer.from("what an earlier step has made\n".repeat(100_000));
const digest = (algorithm: string) => createHash(algorithm).update(content).digest("hex");
const SHA256 = digest("sha256");

/** A file with the content, and the step on it. */
function fileToVerify() {
  const context = stepContext();
  const path = join(context.directory, "file");
  writeFileSync(path, content);
  const verify = (checksums: Record<string, string>, more = {}) =>
    runStep<ChecksumOutput>("verify", "checksum", { path, checksums, ...more }, context);
  return { context, path, verify, [Symbol.dispose]: () => context[Symbol.dispose]() };
}

const refused = (attempt: Promise<unknown>) => failureOf("verify", attempt);

test("every algorithm is computed, and all of them in one pass", async () => {
  using file = fileToVerify();
  const all = {
    SHA256,
    SHA384: digest("sha384"),
    SHA512: digest("sha512"),
    SHA1: digest("sha1"),
    MD5: digest("md5"),
  };
  assert.deepEqual(await file.verify(all), { digests: all });
  for (const [algorithm, hex] of Object.entries(all))
    assert.deepEqual(await file.verify({ [algorithm]: hex }, { allowWeakChecksums: true }), {
      digests: { [algorithm]: hex },
    });
});

test("upper and lower case are the same", async () => {
  using file = fileToVerify();
  assert.deepEqual(await file.verify({ SHA256: SHA256.toUpperCase() }), { digests: { SHA256 } });
});

test("one wrong checksum among right ones is a mismatch, with both digests in the details", async () => {
  using file = fileToVerify();
  const wrong = digest("sha512").replace(/^./, (first) => (first === "0" ? "1" : "0"));
  const failure = await refused(file.verify({ SHA256, SHA512: wrong }));
  assert.equal(failure.code, "VERIFY_CHECKSUM_MISMATCH");
  assert.equal(failure.retryable, false);
  assert.deepEqual(failure.details, {
    path: file.path,
    algorithm: "SHA512",
    expected: wrong,
    actual: digest("sha512"),
  });
});

test("a checksum of the wrong length, with other characters, or empty does not count as one", async () => {
  using file = fileToVerify();
  const broken = [SHA256.slice(0, -1), SHA256.slice(0, 8), `${SHA256}0`, SHA256.replace(/^./, "g"), "", ` ${SHA256}`];
  for (const hex of [...broken, `${SHA256}\n`]) {
    const { code, message } = await refused(file.verify({ SHA256: hex }));
    assert.equal(code, "VERIFY_CHECKSUM_INVALID", JSON.stringify(hex));
    assert.match(message, /SHA256 checksum has 64 hexadecimal digits/);
  }
});

test("checksums that can be forged do not do alone, unless that is allowed", async () => {
  using file = fileToVerify();
  const weak = { SHA1: digest("sha1"), MD5: digest("md5") };
  assert.equal((await refused(file.verify(weak))).code, "VERIFY_CHECKSUM_WEAK");
  assert.equal((await refused(file.verify({ MD5: weak.MD5 }))).code, "VERIFY_CHECKSUM_WEAK");
  assert.deepEqual(await file.verify({ ...weak, SHA256 }), { digests: { ...weak, SHA256 } });
  assert.deepEqual(await file.verify(weak, { allowWeakChecksums: true }), { digests: weak });
});

test("no checksum at all, or one of an unknown algorithm, is refused by the schema", async () => {
  using file = fileToVerify();
  await assert.rejects(file.verify({}), /the input of verify\/checksum/);
  await assert.rejects(file.verify({ CRC32: "00000000" }), /the input of verify\/checksum/);
});

test("what is missing, a folder, below a file, or no regular file is unreadable", { timeout: 20_000 }, async () => {
  using file = fileToVerify();
  const folder = join(file.context.directory, "folder");
  mkdirSync(folder);
  const pipe = join(file.context.directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const path of [join(folder, "missing"), folder, join(file.path, "below"), pipe, "/dev/zero"]) {
    const input = { path, checksums: { SHA256 } };
    const failure = await refused(runStep("verify", "checksum", input, file.context));
    assert.equal(failure.code, "VERIFY_FILE_UNREADABLE");
    assert.ok(failure.message.includes(path), failure.message);
  }
});

test("an abort ends the reading with the abort's own reason", async () => {
  using file = fileToVerify();
  const reason = new Error("cancelled");
  const verified = file.verify({ SHA256 });
  file.context.controller.abort(reason);
  await assert.rejects(verified, (error) => error === reason);
});

test("the plan names the file and the algorithms", async () => {
  using file = fileToVerify();
  const input = { path: file.path, checksums: { SHA256, MD5: digest("md5") } };
  assert.equal(await planStep("verify", "checksum", input, file.context), `verifies ${file.path} (SHA256, MD5)`);
});
