// The full sequences with each provider's real server, and what goes wrong there: each with a code of its own in
// `lastUpload` and its remedy in the log.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, realpathSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { catalogue, type ErrorEntry } from "../../../host/errors.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import azure from "../../../plugins/upload-azure/plugin.json" with { type: "json" };
import http from "../../../plugins/upload-http/plugin.json" with { type: "json" };
import s3 from "../../../plugins/upload-s3/plugin.json" with { type: "json" };
import { needs } from "../../support/parts.ts";
import { startPutServer } from "../../support/put-server.ts";
import { unrulyProxy } from "../../support/unruly-proxy.ts";
import { openContainer } from "../upload-azure/container.ts";
import { openBucket } from "../upload-s3/bucket.ts";
import { Hub, type LastUpload, type UploadRequest } from "./hub.ts";

const skip = needs("mosquitto") || needs("swift-object-server");
const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-providers-")));
const [bucket, container, server] = skip
  ? (undefined as never)
  : await Promise.all([openBucket(), openContainer(), startPutServer()]);
const proxy = skip ? (undefined as never) : await unrulyProxy(server.port);
const hub = skip
  ? (undefined as never)
  : await Hub.start({
      upload: { files: `${directory}/*`, mode: "scoped", retries: 1, retryDelay: "20ms", bytesPerSecond: 4_000_000 },
      plugins: [{ plugin: "upload-http", config: { silenceTimeout: "500ms" } }],
    });

after(async () => {
  for (const each of skip ? [] : [hub, proxy, bucket, container, server]) await each[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function write(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const errors: Record<string, ErrorEntry> = { ...catalogue, ...http.errors, ...s3.errors, ...azure.errors };

/** The upload has failed with this code, and the log has its remedy. */
async function assertFailed(last: LastUpload, code: string): Promise<void> {
  assert.deepEqual([last.state, last.statusCode], ["FAILED", code], last.message);
  assert.ok(last.message.length > 10);
  const line = await waitFor(`the remedy for ${code}`, () =>
    hub.logged(code).find(({ remedy }) => remedy !== undefined),
  );
  assert.equal(line.remedy, errors[code]!.remedy);
}

const awsOptions = (more: Record<string, string> = {}) => {
  const { bucket: name, region, endpoint, accessKeyId, secretAccessKey } = bucket.input(bucket.swift.port);
  return {
    ...{ "storage.provider": "AWS", "aws.s3.bucket": name, "aws.region": region, "aws.endpoint": endpoint },
    ...{ "aws.access.key.id": accessKeyId, "aws.secret.access.key": secretAccessKey, "aws.s3.path.style": "true" },
    ...more,
  };
};
const azureOptions = (sas?: string) => {
  const { endpoint, container: name, sharedAccessSignature } = container.input(container.azurite.port, sas);
  return {
    ...{ "storage.provider": "azure", "azure.storage.endpoint": endpoint, "azure.blob.container": name },
    "azure.shared.access.signature": sharedAccessSignature,
  };
};
const genericOptions = ({ options: _, ...request }: UploadRequest) => ({
  "https.url": `http://127.0.0.1:${proxy.port}/${encodeURIComponent(request.correlationId)}`,
});

describe("uploads with each provider", { skip, timeout: 240_000 }, () => {
  test("S3: the key is the path as the pattern has it, or what the hub says; small and in parts", async () => {
    const large = randomBytes(9 << 20);
    const paths = [write("s3-a.txt", "a"), write("s3-b.bin", large)];
    const { state, progress } = await hub.upload("s3", `${directory}/s3-*`, () => awsOptions(), 2);
    assert.deepEqual([state, progress], ["SUCCESS", 100]);
    assert.equal(String(await bucket.read(paths[0]!)), "a");
    assert.ok((await bucket.read(paths[1]!))!.equals(large));
    const between = hub.reportsOf("s3").filter(({ progress }) => progress > 0 && progress < 100);
    assert.ok(between.length > 0, "progress is told while a file is under way");
    await hub.upload("s3-key", paths[0]!, () =>
      awsOptions({ "aws.object.key": "a/key of its own", "aws.session.token": "t" }),
    );
    assert.equal(String(await bucket.read("a/key of its own")), "a");
  });

  test("Azure: the blob is named as the file, whatever its name; a signature that may create and write is enough", async () => {
    const large = randomBytes(9 << 20);
    write("az ü#1?.txt", "a");
    write("az-b.bin", large);
    const { state } = await hub.upload("azure", `${directory}/az*`, () => azureOptions(), 2);
    assert.equal(state, "SUCCESS");
    assert.equal(String(await container.read("az ü#1?.txt")), "a");
    assert.ok((await container.read("az-b.bin"))!.equals(large));
  });

  test("what a start lacks is said in the words of the original, and it may come again", async () => {
    const path = write("lacking.txt", "lacking");
    await hub.command("trigger", { correlationId: "lacking", options: { "upload.files": path } });
    const [request] = await hub.requests("lacking", 1);
    const start = async (options: Record<string, string>) =>
      (await hub.command("start", { correlationId: request!.correlationId, options })).value?.message;
    const { "aws.region": _, ...withoutRegion } = awsOptions();
    assert.equal(await start(withoutRegion), "required parameter 'aws.region' missing or empty");
    assert.equal(
      await start({ "storage.provider": "azure" }),
      "required parameter 'azure.storage.endpoint' missing or empty",
    );
    await hub.startOne(request!, awsOptions());
    assert.equal((await hub.end("lacking")).state, "SUCCESS");
  });

  const refused: [string, string, () => Record<string, string>][] = [
    ["credentials that are wrong", "UPLOAD_S3_DENIED", () => awsOptions({ "aws.secret.access.key": "wrong" })],
    ["a bucket that is not there", "UPLOAD_S3_BUCKET_MISSING", () => awsOptions({ "aws.s3.bucket": "nowhere" })],
    [
      "a signature that has expired",
      "UPLOAD_AZURE_SAS_EXPIRED",
      () => azureOptions(container.sign("cw", { till: new Date(Date.now() - 60_000) })),
    ],
    ["a signature that only reads", "UPLOAD_AZURE_DENIED", () => azureOptions(container.sign("r"))],
    ["a server that is not there", "UPLOAD_SERVER_UNREACHABLE", () => ({ "https.url": "http://127.0.0.1:1/x" })],
  ];
  for (const [what, code, options] of refused)
    test(`${what}: ${code}`, async () => {
      const path = write(`${code}.txt`, "refused");
      await assertFailed(await hub.upload(code, path, options), code);
    });

  test("a server that answers 500 and then 200: the upload succeeds, and the log has the remedy", async () => {
    const path = write("again.txt", "again");
    let count = 0;
    proxy.fate = () => (++count === 1 ? 500 : "pass");
    assert.equal((await hub.upload("again", path, genericOptions)).state, "SUCCESS");
    assert.equal(count, 2);
    const [line] = hub.logged("UPLOAD_HTTP_SERVER_ERROR");
    assert.equal(line!.remedy, http.errors.UPLOAD_HTTP_SERVER_ERROR.remedy);
  });

  test("a server that hangs: UPLOAD_SERVER_SILENT", async () => {
    proxy.fate = () => "hang";
    const last = await hub.upload("hanging", write("hanging.txt", "hanging"), genericOptions);
    await assertFailed(last, "UPLOAD_SERVER_SILENT");
    proxy.fate = () => "pass";
  });

  const changes: [string, string, (path: string) => void][] = [
    ["is cut", "UPLOAD_FILE_TRUNCATED", (path) => truncateSync(path, 300_000)],
    ["grows", "UPLOAD_FILE_GREW", (path) => appendFileSync(path, "more")],
  ];
  for (const [what, code, change] of changes)
    test(`a file that ${what} while it is read: ${code}`, async () => {
      const path = write(`${code}.bin`, randomBytes(2_000_000));
      proxy.requests.length = 0;
      proxy.fate = () => "pass";
      const ended = hub.upload(code, path, genericOptions);
      // Each attempt meets the change.
      let attempts = 0;
      const changing = setInterval(() => {
        const sending = proxy.requests.at(-1);
        if (sending === undefined || sending.bytes === 0 || proxy.requests.length === attempts) return;
        attempts = proxy.requests.length;
        if (code === "UPLOAD_FILE_TRUNCATED" && attempts > 1) return;
        change(path);
      }, 1);
      try {
        const last = await ended;
        if (code === "UPLOAD_FILE_TRUNCATED")
          assert.equal(last.state, "SUCCESS", "what is left is sent by the next attempt");
        else await assertFailed(last, code);
        const line = hub.logged(code).find(({ remedy }) => remedy !== undefined);
        assert.equal(line?.remedy, errors[code]!.remedy);
      } finally {
        clearInterval(changing);
      }
    });

  test("a device whose clock is wrong: UPLOAD_S3_CLOCK_SKEW", async () => {
    const path = write("skew.txt", "skew");
    await hub.device.host.stop();
    const shift = fileURLToPath(new URL("../../support/earlier.mjs", import.meta.url));
    await hub.device.startHost({ NODE_OPTIONS: `--import ${shift}` });
    await assertFailed(await hub.upload("skew", path, () => awsOptions()), "UPLOAD_S3_CLOCK_SKEW");
  });

  test("what went wrong is told without a secret", () => {
    const told = [hub.device.host.log, ...hub.device.on("e").map(({ text }) => text)].join("\n");
    for (const secret of ["testing-key", "sig="]) assert.ok(!told.includes(secret), secret);
    assert.ok(hub.sent("/properties/lastUpload").length > 10);
  });
});
