import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { serveArtifacts, sha256 } from "../../support/artifact-server.ts";
import { fetching } from "./server.ts";

const SHA256 = sha256("content");
const MD5 = createHash("md5").update("content").digest("hex");
const SHA1 = createHash("sha1").update("content").digest("hex");

test("another content than the checksum says is refused, with what it was in the details", async () => {
  await using server = await serveArtifacts({ file: "Content" });
  using step = fetching();
  const failure = await step.refused(`${server.url}/file`, { checksums: { SHA256 } });
  assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_CHECKSUM_MISMATCH", false]);
  assert.deepEqual(failure.details, { algorithm: "SHA256", actual: sha256("Content") });
});

test("one wrong checksum among right ones is enough", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  const failure = await step.refused(`${server.url}/file`, { checksums: { SHA256, MD5: "0".repeat(32) } });
  assert.equal(failure.code, "DOWNLOAD_CHECKSUM_MISMATCH");
  assert.deepEqual(failure.details, { algorithm: "MD5", actual: MD5 });
});

test("no checksum or only weak ones are refused before the server is asked, unless that is allowed", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  for (const checksums of [{}, { MD5 }, { SHA1 }, { MD5, SHA1 }]) {
    const failure = await step.refused(`${server.url}/file`, { checksums, allowWeakChecksums: false });
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_CHECKSUM_REQUIRED", false]);
  }
  assert.equal(server.requests.size, 0);
  const { digests } = await step.fetch(`${server.url}/file`, { checksums: { MD5, SHA1 } });
  assert.deepEqual(digests, { MD5, SHA1 });
  const both = await step.fetch(`${server.url}/file`, { checksums: { MD5, SHA256 }, allowWeakChecksums: false });
  assert.deepEqual(both.digests, { MD5, SHA256 });
});

test("a checksum that is cut off, too long, empty or not hexadecimal is refused before the server is asked", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  for (const wrong of [
    SHA256.slice(0, 63),
    SHA256.slice(0, 8),
    `${SHA256}0`,
    "",
    SHA256.replace(/^./, "g"),
    `${SHA256}\n`,
  ])
    assert.equal(
      (await step.refused(`${server.url}/file`, { checksums: { SHA256: wrong } })).code,
      "DOWNLOAD_CHECKSUM_INVALID",
      JSON.stringify(wrong),
    );
  const shortWeak = { checksums: { SHA256, MD5: MD5.slice(1) } };
  assert.equal((await step.refused(`${server.url}/file`, shortWeak)).code, "DOWNLOAD_CHECKSUM_INVALID");
  assert.equal(server.requests.size, 0);
});
