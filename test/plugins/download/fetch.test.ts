import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { PluginError } from "../../../host/sdk.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { serveArtifacts, sha256 } from "../../support/artifact-server.ts";
import { planStep, runStep } from "../../support/step-context.ts";
import { fetching, serve } from "./server.ts";

const content = randomBytes(3_500_000);
const hexOf = (algorithm: string) => createHash(algorithm).update(content).digest("hex");
const SHA256 = sha256(content);

test("a file arrives with all its bytes and digests, and nothing stays beside it", async () => {
  await using server = await serveArtifacts({ "image.bin": content });
  using step = fetching();
  const checksums = {
    SHA256,
    SHA384: hexOf("sha384"),
    SHA512: hexOf("sha512"),
    SHA1: hexOf("sha1"),
    MD5: hexOf("md5"),
  };
  const output = await step.fetch(`${server.url}/image.bin`, {
    checksums,
    allowWeakChecksums: false,
    sizeBytes: content.length,
  });
  const path = join(step.directory, "image.bin");
  assert.deepEqual(output, { path, directory: step.directory, sizeBytes: content.length, digests: checksums });
  assert.ok(readFileSync(path).equals(content));
  assert.deepEqual(Object.keys(step.files()), ["image.bin"]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const percents = step.context.reports.map(({ percent }) => percent!);
  assert.equal(percents.at(-1), 100);
  assert.deepEqual(
    percents,
    [...percents].sort((one, other) => one - other),
  );
  assert.deepEqual(step.context.reports.at(-1)!.details, { bytes: content.length, totalBytes: content.length });
});

test("a body of unknown length is reported by its bytes, without a percentage", async () => {
  // Given in parts, a body has no Content-Length.
  await using server = await serve((_, response) => {
    response.write(content.subarray(0, 10));
    response.end(content.subarray(10));
  });
  using step = fetching();
  const { digests, sizeBytes } = await step.fetch(`${server.url}/image.bin`);
  assert.deepEqual([digests, sizeBytes], [{ SHA256 }, content.length]);
  assert.ok(step.context.reports.length >= 3);
  assert.ok(step.context.reports.every(({ percent }) => percent === undefined));
});

test("an empty file is a file", async () => {
  await using server = await serveArtifacts({ empty: "" });
  using step = fetching();
  const output = await step.fetch(`${server.url}/empty`, { checksums: { SHA256: sha256("") } });
  assert.equal(output.sizeBytes, 0);
  assert.deepEqual(step.files(), { empty: "" });
});

test("upper case checksums match, and digests are in lower case", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  const wanted = sha256("content").toUpperCase();
  const { digests } = await step.fetch(`${server.url}/file`, { checksums: { SHA256: wanted } });
  assert.deepEqual(digests, { SHA256: wanted.toLowerCase() });
});

test("a file that is there with the right checksums is not asked for again", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  const input = { checksums: { SHA256: sha256("content") }, sizeBytes: 7 };
  const first = await step.fetch(`${server.url}/file`, input);
  assert.deepEqual(await step.fetch(`${server.url}/file`, input), first);
  assert.equal(server.requests.get("file"), 1);
  // Without checksums nobody knows whether it is the same file.
  await step.fetch(`${server.url}/file`);
  assert.equal(server.requests.get("file"), 2);
});

test("a wrong file, one of another size, and a link in its place are replaced", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  mkdirSync(step.directory);
  const path = join(step.directory, "file");
  const elsewhere = join(step.context.directory, "elsewhere");
  writeFileSync(elsewhere, "not to be touched");
  const input = { checksums: { SHA256: sha256("content") }, sizeBytes: 7 };
  for (const old of ["contenT", "something longer"]) {
    writeFileSync(path, old);
    await step.fetch(`${server.url}/file`, input);
    assert.deepEqual(step.files(), { file: "content" });
  }
  await step.fetch(`${server.url}/file`, { ...input, filename: "other" });
  symlinkSync(elsewhere, join(step.directory, "linked"));
  await step.fetch(`${server.url}/file`, { ...input, filename: "linked" });
  assert.deepEqual(step.files(), { file: "content", linked: "content", other: "content" });
  assert.equal(readFileSync(elsewhere, "utf8"), "not to be touched");
});

test("the file in place stays when its replacement fails", async () => {
  await using server = await serveArtifacts({ file: "tampered" });
  using step = fetching();
  mkdirSync(step.directory);
  writeFileSync(join(step.directory, "file"), "old");
  const failure = await step.refused(`${server.url}/file`, { checksums: { SHA256: sha256("content") } });
  assert.equal(failure.code, "DOWNLOAD_CHECKSUM_MISMATCH");
  assert.deepEqual(step.files(), { file: "old" });
});

test("a part that a crash has left is replaced, and a link in its place is not followed", async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  mkdirSync(step.directory);
  const part = await step.partOf("file");
  writeFileSync(part, "a much longer leftover of an earlier attempt");
  await step.fetch(`${server.url}/file`);
  assert.deepEqual(step.files(), { file: "content" });
  const elsewhere = join(step.context.directory, "elsewhere");
  writeFileSync(elsewhere, "not to be touched");
  symlinkSync(elsewhere, part);
  await step.fetch(`${server.url}/file`);
  assert.deepEqual(step.files(), { file: "content" });
  assert.equal(readFileSync(elsewhere, "utf8"), "not to be touched");
});

test("two runs that want the same file both get the whole of it", async () => {
  const other = Buffer.from(content).reverse();
  await using server = await serveArtifacts({ one: content, other });
  using step = fetching();
  const [one, two] = await Promise.all([
    step.fetch(`${server.url}/one`, { filename: "file", checksums: { SHA256 } }),
    step.fetch(`${server.url}/other`, { filename: "file", checksums: { SHA256: sha256(other) } }),
  ]);
  assert.equal(one.path, two.path);
  const placed = sha256(readFileSync(one.path));
  assert.ok([SHA256, sha256(other)].includes(placed));
  assert.deepEqual(Object.keys(step.files()), ["file"]);
});

test("a run that waited takes the file that the one before has made, if its checksums are right", async () => {
  await using server = await serveArtifacts({ file: content });
  using step = fetching();
  const input = { checksums: { SHA256 } };
  const [one, two] = await Promise.all([
    step.fetch(`${server.url}/file`, input),
    step.fetch(`${server.url}/file`, input),
  ]);
  assert.deepEqual(one, two);
  assert.equal(server.requests.get("file"), 1);
  assert.ok(readFileSync(one.path).equals(content));
});

test("a download that waits for another one at the same file ends with its own abort", async () => {
  await using server = await serve((_, response) => void response.write("for ever"));
  using first = fetching();
  using second = fetching();
  const into = (step: typeof first) =>
    step.fetch(`${server.url}/file`, { directory: first.directory }).catch((error: unknown) => error);
  const running = into(first);
  await waitFor("the first request", () => server.requests.length === 1);
  const waiting = into(second);
  const reason = new PluginError("RUN_CANCELLED", "no longer wanted");
  second.context.controller.abort(reason);
  assert.equal(await waiting, reason);
  assert.equal(server.requests.length, 1);
  first.context.controller.abort(reason);
  assert.equal(await running, reason);
  assert.deepEqual(first.files(), {});
});

test("redirects are followed, also to another server, whose own name counts for the file", async () => {
  await using files = await serveArtifacts({ target: "content" });
  await using server = await serve((request, response) => {
    const hop = Number(request.url!.slice(1));
    const location = hop < 4 ? `/${hop + 1}` : `${files.url}/target`;
    response.writeHead([301, 302, 303, 307, 308][hop]!, { location }).end();
  });
  using step = fetching();
  await step.fetch(`${server.url}/0`, { filename: "file" });
  assert.deepEqual(step.files(), { file: "content" });
  assert.equal(server.requests.length, 5);
});

test("user and password of the URL go to its server, and to no other one", async () => {
  await using files = await serve((_, response) => void response.end("content"));
  await using server = await serve((_, response) => void response.writeHead(302, { location: `${files.url}/x` }).end());
  using step = fetching();
  await step.fetch(server.url.replace("//", "//user:p%40ss%zz@"), { filename: "file" });
  const sent = server.requests[0]!.headers.authorization!;
  assert.equal(Buffer.from(sent.replace("Basic ", ""), "base64").toString(), "user:p%40ss%zz");
  assert.equal(files.requests[0]!.headers.authorization, undefined);
});

test("percent signs in user and password are decoded", async () => {
  await using server = await serve((_, response) => void response.end("content"));
  using step = fetching();
  await step.fetch(server.url.replace("//", "//us%3Aer:p%40ss@"), { filename: "file" });
  const sent = server.requests[0]!.headers.authorization!;
  assert.equal(Buffer.from(sent.replace("Basic ", ""), "base64").toString(), "us:er:p@ss");
});

test("an abort in the middle ends the download with the abort's own reason and leaves no part", async () => {
  await using server = await serve((request, response) => {
    response.writeHead(200, { "content-length": 1_000_000_000 });
    response.write(content);
    request.on("close", () => response.destroy());
  });
  using step = fetching();
  const running = step.fetch(`${server.url}/file`);
  await waitFor("the part", () => step.context.reports.length > 0);
  assert.deepEqual(Object.keys(step.files()), [basename(await step.partOf("file"))]);
  const reason = new PluginError("RUN_CANCELLED", "no longer wanted");
  step.context.controller.abort(reason);
  await assert.rejects(running, (error) => error === reason);
  assert.deepEqual(step.files(), {});
  await waitFor("the end of the connection", () => server.requests[0]!.socket.destroyed);
});

test("an abort before the server has said anything ends it as well", async () => {
  await using server = await serve(() => {});
  using step = fetching();
  const running = step.fetch(`${server.url}/file`);
  await waitFor("the request", () => server.requests.length === 1);
  const reason = new PluginError("RUN_CANCELLED", "no longer wanted");
  step.context.controller.abort(reason);
  await assert.rejects(running, (error) => error === reason);
  assert.deepEqual(step.files(), {});
});

test("an abort while the file that is there is being read ends the check", async () => {
  using step = fetching();
  mkdirSync(step.directory);
  writeFileSync(join(step.directory, "file"), Buffer.alloc(200_000_000));
  const reason = new PluginError("HOST_STOPPING", "the host stops");
  const checking = step.fetch("http://127.0.0.1:9/file", { checksums: { SHA256 } });
  setImmediate(() => step.context.controller.abort(reason));
  await assert.rejects(checking, (error) => error === reason);
});

test("the plan shows source and target without user, password and query, and makes nothing", async () => {
  using step = fetching();
  const url = "https://user:secret@files.example:8443/a/b.bin?token=secret#secret";
  const plan = (more = {}) => planStep("download", "fetch", { url, directory: step.directory, ...more }, step.context);
  assert.equal(await plan(), `downloads https://files.example:8443/a/b.bin to ${step.directory}`);
  assert.equal(await plan({ filename: "c" }), `downloads https://files.example:8443/a/b.bin to ${step.directory}/c`);
  assert.throws(() => statSync(step.directory), { code: "ENOENT" });
});

test("input that the schema does not allow does not reach the step", async () => {
  using step = fetching();
  const inputs = [
    { url: "ftp://127.0.0.1/x" },
    { directory: "relative" },
    { sizeBytes: 1.5 },
    { checksums: { CRC: "0" } },
  ];
  for (const wrong of inputs) {
    const input = { url: "http://127.0.0.1:9/x", directory: step.directory, ...wrong };
    await assert.rejects(runStep("download", "fetch", input, step.context), /the input of download\/fetch/);
  }
});
