import assert from "node:assert/strict";
import { once } from "node:events";
import { statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { serveArtifacts } from "../../support/artifact-server.ts";
import { fetching, serve } from "./server.ts";

const megabyte = Buffer.alloc(1 << 20);

/** Sends as fast as it is read, until the connection ends, and counts. */
async function serveEndless() {
  const sent = { bytes: 0, ended: false };
  const send = async (response: ServerResponse) => {
    const gone = once(response, "close").then(() => "gone" as const);
    while (!response.destroyed) {
      sent.bytes += megabyte.length;
      if (!response.write(megabyte) && (await Promise.race([once(response, "drain"), gone])) === "gone") break;
    }
    sent.ended = true;
  };
  const server = await serve((_, response) => void send(response));
  return { ...server, sent };
}

test("an endless body is cut off at sizeBytes, and little more is taken from the server", async () => {
  await using server = await serveEndless();
  using step = fetching();
  const failure = await step.refused(`${server.url}/file`, { sizeBytes: 5_000_000 });
  assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_TOO_LARGE", false]);
  assert.deepEqual(failure.details, { limitBytes: 5_000_000 });
  await waitFor("the end of the sending", () => server.sent.ended);
  // What the kernel's buffers hold on both sides comes on top.
  assert.ok(server.sent.bytes < 32_000_000, `${server.sent.bytes} bytes were sent`);
});

test("an endless body of unknown size is cut off at maxSizeBytes, also with a sizeBytes of 0 or less", async () => {
  for (const sizeBytes of [0, -1]) {
    await using server = await serveEndless();
    using step = fetching({ maxSizeBytes: 3_000_000 });
    const failure = await step.refused(`${server.url}/file`, { sizeBytes });
    assert.equal(failure.code, "DOWNLOAD_TOO_LARGE");
    assert.deepEqual(failure.details, { limitBytes: 3_000_000 });
    await waitFor("the end of the sending", () => server.sent.ended);
    assert.ok(server.sent.bytes < 32_000_000, `${server.sent.bytes} bytes were sent`);
  }
});

test("a file of just the maximum is accepted, one with a byte more is not", async () => {
  await using server = await serveArtifacts({ just: "1234567890", more: "12345678901" });
  using step = fetching({ maxSizeBytes: 10 });
  assert.equal((await step.refused(`${server.url}/more`, { sizeBytes: 0 })).code, "DOWNLOAD_TOO_LARGE");
  await step.fetch(`${server.url}/just`, { sizeBytes: 0 });
  await step.fetch(`${server.url}/just`, { filename: "again", sizeBytes: 10 });
  assert.deepEqual(step.files(), { again: "1234567890", just: "1234567890" });
});

test("a step's own maxSizeBytes is a limit and no size: less will do, and the plugin's limit holds, too", async () => {
  await using server = await serveArtifacts({ just: "1234567890", more: "12345678901" });
  using step = fetching({ maxSizeBytes: 10 });
  await step.fetch(`${server.url}/just`, { maxSizeBytes: 1000 });
  assert.equal((await step.refused(`${server.url}/more`, { maxSizeBytes: 1000 })).code, "DOWNLOAD_TOO_LARGE");
  const { code, details } = await step.refused(`${server.url}/just`, { filename: "again", maxSizeBytes: 9 });
  assert.deepEqual([code, details], ["DOWNLOAD_TOO_LARGE", { limitBytes: 9 }]);
  assert.deepEqual(step.files(), { just: "1234567890" });
});

test("a file has the rights that are asked for, by default those of its owner only", async () => {
  await using server = await serveArtifacts({ tool: "#!/bin/sh" });
  using step = fetching();
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
  assert.equal(modeOf((await step.fetch(`${server.url}/tool`)).path), "600");
  assert.equal(modeOf((await step.fetch(`${server.url}/tool`, { filename: "a", fileMode: "0755" })).path), "755");
});

test("a Content-Length above the limit is refused before anything is written", async () => {
  await using server = await serve((_, response) => {
    response.writeHead(200, { "content-length": 1_000_000 });
    response.flushHeaders();
  });
  using step = fetching({ maxSizeBytes: 999_999 });
  const failure = await step.refused(`${server.url}/file`);
  assert.equal(failure.code, "DOWNLOAD_TOO_LARGE");
  assert.deepEqual(step.context.reports, []);
});

test("a sizeBytes above the maximum is refused before the server is asked", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching({ maxSizeBytes: 10 });
  const failure = await step.refused(`${server.url}/file`, { sizeBytes: 11 });
  assert.equal(failure.code, "DOWNLOAD_TOO_LARGE");
  assert.match(failure.message, /at most 10 are accepted/);
  assert.equal(server.requests.size, 0);
});

test("a complete file with fewer bytes than sizeBytes is not the wanted one", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  const failure = await step.refused(`${server.url}/file`, { sizeBytes: 8 });
  assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_SIZE_MISMATCH", false]);
  assert.deepEqual(failure.details, { sizeBytes: 7 });
});
