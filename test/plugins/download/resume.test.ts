// Going on where an earlier attempt has stopped. Each `step.fetch` is an attempt of its own, as after a retry or crash.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { PluginError } from "../../../host/sdk.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { PartRecords } from "../../../plugins/download/part-records.ts";
import { sha256 } from "../../support/artifact-server.ts";
import { failureOf } from "../../support/step-context.ts";
import { type RangeServer, serveRanges } from "./range-server.ts";
import { type Fetching, fetching } from "./server.ts";

const content = randomBytes(2_000_000);
const wanted = { checksums: { SHA256: sha256(content) } };
const half = 1_000_000;

const fails = (step: Fetching, server: RangeServer, input: object = wanted) =>
  failureOf("download", step.fetch(`${server.url}/file`, input as typeof wanted));

async function cutOnce(step: Fetching, server: RangeServer, input: object = wanted) {
  server.cuts = [half];
  const failure = await fails(step, server, input);
  assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_TRUNCATED", true]);
}

test("after a cut only the rest is asked for, for the version that was begun", async () => {
  await using server = await serveRanges(content);
  using step = fetching();
  await cutOnce(step, server);
  const { digests } = await step.fetch(`${server.url}/file`, wanted);
  assert.deepEqual(digests, wanted.checksums);
  const { range, "if-range": ifRange } = server.requests[1]!.headers;
  assert.deepEqual([range, ifRange], [`bytes=${half}-`, '"one"']);
  assert.equal(server.sentBytes, content.length);
  assert.deepEqual(Object.keys(step.files()), ["file"]);
  const percents = step.context.reports.map(({ percent }) => percent!);
  assert.deepEqual(percents, [...new Set(percents)], "nothing is reported twice");
});

test("a server without Accept-Ranges, and one that knows a date only, may go on, too", async () => {
  for (const headers of [
    { etag: "", "last-modified": "Tue, 24 Nov 2026 10:00:00 GMT" },
    { etag: 'W/"weak"', "last-modified": "Tue, 24 Nov 2026 10:00:00 GMT" },
  ]) {
    await using server = await serveRanges(content, headers);
    using step = fetching();
    await cutOnce(step, server, {});
    await step.fetch(`${server.url}/file`);
    assert.equal(server.requests[1]!.headers["if-range"], headers["last-modified"]);
    assert.equal(server.sentBytes, content.length);
    assert.equal(sha256(readFileSync(`${step.directory}/file`)), wanted.checksums.SHA256);
  }
});

test("without a validator the checksum of the whole vouches for the pieces", async () => {
  await using server = await serveRanges(content);
  server.headers = {};
  using step = fetching();
  await cutOnce(step, server);
  await step.fetch(`${server.url}/file`, wanted);
  assert.equal(server.requests[1]!.headers["if-range"], undefined);
  assert.equal(server.sentBytes, content.length);
});

test("without a validator and a strong checksum nothing is kept", async () => {
  await using server = await serveRanges(content);
  server.headers = {};
  using step = fetching();
  await cutOnce(step, server, {});
  assert.deepEqual(step.files(), {});
  await step.fetch(`${server.url}/file`);
  assert.equal(server.requests[1]!.headers.range, undefined);
});

test("a server that ignores Range starts again", async () => {
  await using server = await serveRanges(content);
  server.answerRange = () => undefined;
  using step = fetching();
  await cutOnce(step, server);
  await step.fetch(`${server.url}/file`, wanted);
  assert.equal(server.sentBytes, half + content.length);
  assert.ok(step.context.lines.some(({ text }) => text.includes("starts again at the beginning")));
});

test("a content that has changed in between is fetched from its beginning", async () => {
  const other = randomBytes(1_500_000);
  await using server = await serveRanges(content);
  using step = fetching();
  await cutOnce(step, server, {});
  Object.assign(server, { content: other, headers: { etag: '"two"' } });
  const { digests, sizeBytes } = await step.fetch(`${server.url}/file`);
  assert.deepEqual([digests, sizeBytes], [{ SHA256: sha256(other) }, other.length]);
});

test("a server that gives the rest of another version is found out, and a further attempt begins anew", async () => {
  const other = randomBytes(content.length);
  for (const change of [
    { content: other, headers: { etag: '"two"' } },
    { content: other.subarray(0, 1_500_000), headers: { etag: '"one"' } },
    // Nothing but the checksum tells.
    { content: other, headers: {} as Record<string, string> },
  ]) {
    await using server = await serveRanges(content);
    if (!("etag" in change.headers)) server.headers = {};
    server.answerRange = () => ({});
    using step = fetching();
    await cutOnce(step, server);
    Object.assign(server, change);
    const failure = await fails(step, server);
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_CHANGED", true]);
    Object.assign(server, { content, headers: {} });
    await step.fetch(`${server.url}/file`, wanted);
    assert.equal(server.requests[2]!.headers.range, undefined);
  }
});

test("a server that gives another part than the one asked for is found out", async () => {
  for (const answer of [{ begin: half - 1 }, { contentRange: "bytes 1-2/3" }, { contentRange: "nonsense" }]) {
    await using server = await serveRanges(content);
    server.answerRange = () => answer;
    using step = fetching();
    await cutOnce(step, server);
    const failure = await fails(step, server);
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_RANGE_WRONG", true]);
    await step.fetch(`${server.url}/file`, wanted);
    assert.equal(server.requests[2]!.headers.range, undefined);
  }
});

test("a part that is the whole file is not asked for again; without a known size the server says so", async () => {
  for (const knows of [true, false]) {
    await using server = await serveRanges(content);
    using step = fetching();
    await cutOnce(step, server);
    // As a crash between the last byte and the name leaves it.
    writeFileSync(await step.partOf("file"), content);
    if (!knows) await forgetSize(step);
    server.answerRange = () => ({ status: 416, contentRange: `bytes */${content.length}` });
    await step.fetch(`${server.url}/file`, wanted);
    assert.equal(server.requests.length, knows ? 1 : 2);
    assert.equal(server.sentBytes, half);
  }
});

test("a file that has become shorter than its part has changed", async () => {
  await using server = await serveRanges(content);
  using step = fetching();
  await cutOnce(step, server);
  server.answerRange = () => ({ status: 416, contentRange: "bytes */10" });
  assert.equal((await fails(step, server)).code, "DOWNLOAD_CHANGED");
});

test("another wanted content does not go on with the part of the first", async () => {
  const other = randomBytes(1_500_000);
  await using server = await serveRanges(content);
  using step = fetching();
  await cutOnce(step, server);
  Object.assign(server, { content: other, headers: {} });
  await step.fetch(`${server.url}/file`, { checksums: { SHA256: sha256(other) } });
  assert.equal(server.requests[1]!.headers.range, undefined);
});

test("a part that was damaged is fetched again as a whole, once", async () => {
  await using server = await serveRanges(content);
  using step = fetching();
  await cutOnce(step, server);
  writeFileSync(await step.partOf("file"), Buffer.alloc(half));
  assert.equal((await fails(step, server)).code, "DOWNLOAD_CHECKSUM_MISMATCH");
  await step.fetch(`${server.url}/file`, wanted);
});

test("after a power cut only what was synced counts", async () => {
  await using server = await serveRanges(content);
  using step = fetching();
  await cutOnce(step, server);
  const part = await step.partOf("file");
  const records = new PartRecords(`${step.context.directory}/parts`);
  const record = (await records.read(part))!;
  await records.write({ ...record, bootId: "another kernel", syncedBytes: 300_000 });
  await step.fetch(`${server.url}/file`, wanted);
  assert.equal(server.requests[1]!.headers.range, "bytes=300000-");
});

test("what a host that stops was receiving is gone on with, and so is what a time limit has ended", async () => {
  for (const code of ["HOST_STOPPING", "STEP_TIMEOUT"]) {
    await using server = await serveRanges(content);
    using step = fetching();
    // The folder is that of the other one, as after a restart.
    using stopped = fetching({}, { directory: step.context.directory });
    const slowly = { ...wanted, bytesPerSecond: 100_000 };
    const running = stopped.fetch(`${server.url}/file`, slowly);
    await waitFor("some bytes", () => stopped.context.reports.length > 0);
    stopped.context.controller.abort(new PluginError(code, "for the time being"));
    await assert.rejects(running, { code });
    assert.ok(existsSync(await step.partOf("file")), code);
    await step.fetch(`${server.url}/file`, wanted);
    assert.match(server.requests[1]!.headers.range!, /^bytes=\d+-$/);
    assert.ok(Number(server.requests[1]!.headers.range!.match(/\d+/)![0]) > 0);
  }
});

test("a cancelled download leaves nothing", async () => {
  await using server = await serveRanges(content);
  using step = fetching();
  const running = step.fetch(`${server.url}/file`, { ...wanted, bytesPerSecond: 100_000 });
  await waitFor("some bytes", () => step.context.reports.length > 0);
  step.context.controller.abort(new PluginError("RUN_CANCELLED", "no longer wanted"));
  await assert.rejects(running, { code: "RUN_CANCELLED" });
  assert.deepEqual(step.files(), {});
  assert.deepEqual(await new PartRecords(`${step.context.directory}/parts`).all(), []);
});

test("a part that another user or a link has put there is not gone on with", async () => {
  await using server = await serveRanges(content);
  using step = fetching();
  await cutOnce(step, server);
  const part = await step.partOf("file");
  const elsewhere = `${step.context.directory}/elsewhere`;
  for (const put of [linkSync, symlinkSync]) {
    writeFileSync(elsewhere, content.subarray(0, half));
    rmSync(part, { force: true });
    put(elsewhere, part);
    await step.fetch(`${server.url}/file`, wanted);
    assert.equal(server.requests.at(-1)!.headers.range, undefined);
    assert.equal(readFileSync(elsewhere).length, half);
    rmSync(`${step.directory}/file`);
    await cutOnce(step, server);
  }
});

async function forgetSize(step: Fetching): Promise<void> {
  const records = new PartRecords(`${step.context.directory}/parts`);
  const record = (await records.read(await step.partOf("file")))!;
  await records.write({ ...record, version: { etag: '"one"' } });
}
