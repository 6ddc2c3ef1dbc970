// Several sources of one file, and servers that make it hard.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { serveArtifacts, sha256 } from "../../support/artifact-server.ts";
import { failureOf } from "../../support/step-context.ts";
import { serveRanges } from "./range-server.ts";
import { fetching, serve } from "./server.ts";

const content = randomBytes(500_000);
const checksums = { SHA256: sha256(content) };

test("sources are tried in order, whatever is wrong with those before", async () => {
  await using good = await serveArtifacts({ file: content });
  await using bad = await serve((request, response) => {
    if (request.url === "/503") response.writeHead(503).end();
    else if (request.url === "/404") response.writeHead(404).end();
    else if (request.url === "/short") response.end("short");
    else response.end(Buffer.from(content).reverse());
  });
  using step = fetching();
  const sources = [
    `${bad.url}/404`,
    `${bad.url}/short`,
    `${bad.url}/other`,
    "http://127.0.0.1:1/x",
    `${good.url}/file`,
  ];
  const { path } = await step.fetch(`${bad.url}/503`, { filename: "file", sources, checksums, sizeBytes: 500_000 });
  assert.equal(path, `${step.directory}/file`);
  assert.deepEqual(
    bad.requests.map(({ url }) => url),
    ["/503", "/404", "/short", "/other"],
  );
  const codes = step.context.lines.flatMap(({ fields }) => ("code" in fields ? [fields.code] : []));
  assert.deepEqual(codes, [
    "DOWNLOAD_HTTP_STATUS",
    "DOWNLOAD_NOT_FOUND",
    "DOWNLOAD_SIZE_MISMATCH",
    "DOWNLOAD_CHECKSUM_MISMATCH",
    "DOWNLOAD_CONNECTION_FAILED",
  ]);
});

test("where all sources fail, the failure is one that a retry can help, if there is one", async () => {
  await using server = await serve((request, response) => response.writeHead(Number(request.url!.slice(1))).end());
  using step = fetching();
  const sources = [`${server.url}/503`, `${server.url}/403`];
  const passing = await step.refused(`${server.url}/404`, { sources });
  assert.deepEqual([passing.code, passing.retryable], ["DOWNLOAD_HTTP_STATUS", true]);
  const lasting = await step.refused(`${server.url}/404`, { sources: [`${server.url}/403`] });
  assert.equal(lasting.code, "DOWNLOAD_NOT_FOUND");
});

test("a source goes on where the one before was cut", async () => {
  await using first = await serveRanges(content);
  await using second = await serveRanges(content, { etag: '"of the second"' });
  using step = fetching();
  first.cuts = [200_000];
  await step.fetch(`${first.url}/file`, { sources: [`${second.url}/file`], checksums });
  assert.deepEqual(
    second.requests.map(({ headers }) => [headers.range, headers["if-range"]]),
    [["bytes=200000-", undefined]],
  );
  assert.equal(first.sentBytes + second.sentBytes, content.length);
});

test("an address among the sources that is none is found before the first is asked", async () => {
  await using server = await serveArtifacts({ file: content });
  using step = fetching();
  assert.equal((await step.refused(`${server.url}/file`, { sources: ["http://"] })).code, "DOWNLOAD_URL_INVALID");
  assert.equal(server.requests.size, 0);
});

test("a server that drips is too slow, though it is never silent", async () => {
  await using server = await serve(async (_, response) => {
    response.writeHead(200, { "content-length": 1000 });
    while (!response.destroyed) {
      response.write("x");
      await sleep(20);
    }
  });
  using step = fetching({ silenceTimeout: "200ms", minBytesPerSecond: 1000 });
  const failure = await step.refused(`${server.url}/file`);
  assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_TOO_SLOW", true]);
  assert.match(failure.remedy!, /`minBytesPerSecond`/);
  using patient = fetching({ silenceTimeout: "200ms", minBytesPerSecond: 0 });
  const running = patient.fetch(`${server.url}/file`).catch((error) => error);
  await sleep(600);
  patient.context.controller.abort(new Error("enough"));
  assert.equal((await running).message, "enough");
});

test("a slow disk and the step's own limit are not the server's slowness", async () => {
  await using server = await serveArtifacts({ file: content });
  using step = fetching({ silenceTimeout: "100ms", minBytesPerSecond: 1_000_000 });
  await step.fetch(`${server.url}/file`, { bytesPerSecond: 1_000_000 });
});

test("a limit of bytes per second holds, and so does that of the run", async () => {
  await using server = await serveArtifacts({ file: content });
  const passed: number[] = [];
  using step = fetching({}, { throttle: async (bytes) => void passed.push(bytes) });
  const begun = performance.now();
  await step.fetch(`${server.url}/file`, { bytesPerSecond: 1_000_000 });
  assert.ok(performance.now() - begun > 450, "500 kB at 1 MB a second take half a second");
  assert.equal(
    passed.reduce((sum, bytes) => sum + bytes, 0),
    content.length,
  );
});

test("a bomb in gzip is neither decoded nor taken for the file", async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  await using server = await serve((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": bomb.length }).end(bomb);
  });
  using step = fetching();
  for (const input of [{}, { checksums: { SHA256: sha256(Buffer.alloc(50_000_000)) } }]) {
    const failure = await step.refused(`${server.url}/file`, input);
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_ENCODED", false]);
  }
  assert.equal(server.requests[0]!.headers["accept-encoding"], "identity");
  // An archive that the server calls encoded is still the wanted file.
  const { sizeBytes } = await step.fetch(`${server.url}/file`, { checksums: { SHA256: sha256(bomb) } });
  assert.equal(sizeBytes, bomb.length);
});

test("a Content-Length that is not the size of the wanted file is refused before the body is read", async () => {
  await using server = await serve((_, response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.flushHeaders();
  });
  using step = fetching();
  const failure = await failureOf("download", step.fetch(`${server.url}/file`, { sizeBytes: 2000 }));
  assert.deepEqual([failure.code, failure.details], ["DOWNLOAD_SIZE_MISMATCH", { sizeBytes: 1000 }]);
});
