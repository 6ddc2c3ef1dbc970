import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, mock, test } from "node:test";
import { waitFor } from "gantry/testing";
import { GantryError } from "../../../host/errors.ts";
import type { Json, JsonObject } from "../../../host/sdk.ts";
import { checkOptions } from "../../../plugins/upload-s3/options.ts";
import { testUploadTarget } from "../../conformance/upload-target.ts";
import { listen } from "../../support/listen.ts";
import { needs } from "../../support/parts.ts";
import { failureOf, planStep, type RecordedContext, runStep, stepContext } from "../../support/step-context.ts";
import { unrulyProxy } from "../../support/unruly-proxy.ts";
import { openBucket } from "./bucket.ts";

const skip = needs("swift-object-server");
const partBytes = 5 << 20;
const directory = mkdtempSync(join(tmpdir(), "gantry-upload-s3-"));
const path = join(directory, "file");
const bucket = skip ? (undefined as never) : await openBucket();

after(async () => {
  if (!skip) await bucket[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

testUploadTarget("upload-s3", {
  skip,
  async open() {
    const input = (name: string, port: number) => ({ ...bucket.input(port), key: name });
    const refusing = (more: JsonObject, code: string) => ({
      input: (port: number) => ({ ...input("refused", port), ...more }),
      code,
    });
    return {
      plugin: "upload-s3",
      config: { partSizeBytes: partBytes, parallelParts: 1 },
      port: bucket.swift.port,
      partBytes,
      input,
      partedInput: input,
      read: bucket.read,
      refused: {
        "a wrong key": refusing({ secretAccessKey: "a-secret-that-is-wrong" }, "UPLOAD_S3_DENIED"),
        "an unknown key": refusing({ accessKeyId: "nobody" }, "UPLOAD_S3_DENIED"),
        "a bucket that is not there": refusing({ bucket: "nowhere" }, "UPLOAD_S3_BUCKET_MISSING"),
        "another region": refusing({ region: "eu-central-1" }, "UPLOAD_S3_WRONG_REGION"),
        "no endpoint": refusing({ endpoint: "minio" }, "UPLOAD_S3_OPTION_INVALID"),
      },
      secrets: ["testing-key", "a-secret", "AWS4-"],
      async [Symbol.asyncDispose]() {},
    };
  },
});

const put = (more: JsonObject, context: RecordedContext, config: JsonObject = {}) =>
  runStep("upload-s3", "put", { ...bucket.input(bucket.swift.port), key: "key", path, ...more }, context, {
    partSizeBytes: partBytes,
    ...config,
  });

test("a key keeps the slash at its beginning; type and encoding are kept with the object", { skip }, async () => {
  writeFileSync(path, "content");
  using context = stepContext();
  await put({ key: "/var/log/app.log", contentType: "text/plain" }, context);
  assert.equal(String(await bucket.read("/var/log/app.log")), "content");
  await put({ key: "packed", compression: "gzip" }, context);
  const { ContentType, ContentEncoding } = await bucket.head("packed");
  assert.deepEqual([ContentType, ContentEncoding], ["application/octet-stream", "gzip"]);
  assert.equal((await bucket.head("/var/log/app.log")).ContentType, "text/plain");
});

test("parts go at the same time, and those that arrived before a cut are not sent again", { skip }, async () => {
  writeFileSync(path, randomBytes(partBytes * 6 - 7));
  await using proxy = await unrulyProxy(bucket.swift.port);
  const endpoint = `http://127.0.0.1:${proxy.port}`;
  const parts = () => proxy.requests.filter(({ url }) => url.includes("partNumber"));
  // The first three reach the server. When the others are there, its answers have reached the step.
  proxy.fate = ({ url }) => (url.includes("partNumber") && parts().length > 3 ? "hang" : "pass");
  let checkpoint: Json | undefined;
  using first = stepContext({
    checkpoint: async (value) => {
      checkpoint = value;
    },
  });
  const failing = failureOf("upload-s3", put({ key: "parts", endpoint }, first, { parallelParts: 3 }));
  await waitFor("three parts at the same time", () => parts().length === 6);
  proxy.cut();
  assert.equal((await failing).code, "UPLOAD_SERVER_UNREACHABLE");
  assert.deepEqual(await bucket.parts("parts", checkpoint as { uploadId: string }), [1, 2, 3]);
  proxy.requests.length = 0;
  proxy.fate = () => "pass";
  using second = stepContext({ lastCheckpoint: checkpoint });
  await put({ key: "parts", endpoint }, second, { parallelParts: 3 });
  assert.equal((await bucket.read("parts"))!.length, partBytes * 6 - 7);
  const again = parts().map(({ url }) => Number(new URL(url, endpoint).searchParams.get("partNumber")));
  assert.deepEqual(again.sort(), [4, 5, 6]);
});

test("what is cancelled leaves no parts behind, and what is only interrupted keeps them", { skip }, async () => {
  writeFileSync(path, randomBytes(partBytes * 2));
  for (const [code, open] of [
    ["RUN_CANCELLED", 0],
    ["HOST_STOPPING", 1],
  ] as const) {
    const reason = new GantryError(code, "an end");
    let sent = 0;
    using context = stepContext({
      throttle: async (bytes) => {
        sent += bytes;
        if (sent > partBytes * 1.5) context.controller.abort(reason);
      },
    });
    await assert.rejects(put({ key: "left" }, context), { code });
    assert.equal(await bucket.open(), open, code);
  }
});

test("checksums are those of the bodies, and a session token goes along", { skip }, async () => {
  await using proxy = await unrulyProxy(bucket.swift.port);
  const endpoint = `http://127.0.0.1:${proxy.port}`;
  for (const size of [1000, partBytes + 1000])
    for (const checksumAlgorithm of ["SHA256", "CRC32"]) {
      writeFileSync(path, randomBytes(size));
      proxy.requests.length = 0;
      using context = stepContext();
      await put({ endpoint, checksum: true, checksumAlgorithm, sessionToken: "a-token" }, context);
      const bodies = proxy.requests.filter(({ url, method }) => method === "PUT" || url.includes("partNumber"));
      assert.equal(bodies.length, size > partBytes ? 2 : 1);
      for (const { headers, md5, sha256, crc32 } of bodies) {
        const crc = Buffer.alloc(4);
        crc.writeUInt32BE(crc32!);
        assert.equal(headers["content-md5"], md5);
        assert.equal(headers["x-amz-checksum-sha256"], checksumAlgorithm === "SHA256" ? sha256 : undefined);
        assert.equal(
          headers["x-amz-checksum-crc32"],
          checksumAlgorithm === "CRC32" ? crc.toString("base64") : undefined,
        );
        assert.equal(headers["x-amz-security-token"], "a-token");
      }
    }
});

test("a clock that is wrong has a code of its own", { skip }, async () => {
  writeFileSync(path, "content");
  mock.timers.enable({ apis: ["Date"], now: Date.now() - 3_600_000 });
  try {
    using context = stepContext();
    const failed = await failureOf("upload-s3", put({}, context));
    assert.deepEqual([failed.code, failed.retryable], ["UPLOAD_S3_CLOCK_SKEW", false]);
  } finally {
    mock.timers.reset();
  }
});

test("what Swift never says has a code, too", async () => {
  const said: [number, string, string, boolean][] = [
    [400, "ExpiredToken", "UPLOAD_S3_TOKEN_EXPIRED", false],
    [400, "EntityTooLarge", "UPLOAD_S3_REFUSED", false],
    [400, "BadDigest", "UPLOAD_S3_CORRUPTED", true],
    [503, "SlowDown", "UPLOAD_S3_SERVER_ERROR", true],
    [403, "AccessDenied", "UPLOAD_S3_DENIED", false],
    [301, "PermanentRedirect", "UPLOAD_S3_WRONG_REGION", false],
  ];
  writeFileSync(path, "content");
  for (const [status, name, code, retryable] of said) {
    const server = createServer((request, response) => {
      request.resume();
      const text = `<?xml version="1.0"?><Error><Code>${name}</Code><Message>a-secret</Message></Error>`;
      request.on("end", () => response.writeHead(status, { "content-type": "application/xml" }).end(text));
    });
    await using listening = await listen(server);
    using context = stepContext();
    const keys = { accessKeyId: "id", secretAccessKey: "key" };
    const input = { bucket: "b", key: "k", region: "r", pathStyle: true, path, ...keys };
    const failed = await failureOf(
      "upload-s3",
      runStep("upload-s3", "put", { ...input, endpoint: `http://127.0.0.1:${listening.port}` }, context),
    );
    server.closeAllConnections();
    assert.deepEqual([failed.code, failed.retryable], [code, retryable]);
    assert.ok(!JSON.stringify(failed).includes("a-secret"));
  }
});

test("the options of a start are judged in the words and order of the original", async () => {
  const good = {
    "aws.s3.bucket": "b",
    "aws.access.key.id": "i",
    "aws.region": "r",
    "aws.secret.access.key": "s",
  };
  await checkOptions({ options: good });
  await checkOptions({
    options: { ...good, "aws.endpoint": "https://minio.example:9000", "aws.s3.checksum": "CRC32" },
  });
  const rejects = (options: Record<string, string>, message: string) =>
    assert.rejects(checkOptions({ options }), { code: "UPLOAD_S3_OPTION_INVALID", message });
  let options: Record<string, string> = {};
  for (const [name, value] of Object.entries(good)) {
    await rejects(options, `required parameter '${name}' missing or empty`);
    await rejects({ ...options, [name]: "" }, `required parameter '${name}' missing or empty`);
    options = { ...options, [name]: value };
  }
  const wrong: [Record<string, string>, string][] = [
    [{ "aws.s3.bucket": "../other" }, "the bucket has a name that no bucket can have"],
    [{ "aws.s3.bucket": ".." }, "the bucket has a name that no bucket can have"],
    [{ "aws.s3.bucket": "b\n" }, "the bucket has a name that no bucket can have"],
    [{ "aws.region": "r@elsewhere.example/" }, "the region has signs that no region has"],
    [{ "aws.access.key.id": "i\r\nX: y" }, "the access key id has signs that no request can carry"],
    [{ "aws.session.token": "a-secret\n" }, "the session token has signs that no request can carry"],
    [{ "aws.object.key": "" }, "the key is empty"],
    [{ "aws.object.key": "\ud800" }, "the key is no text of Unicode"],
    [{ "aws.endpoint": "https://user:a-secret@minio.example" }, "the endpoint has a user, a query or a fragment"],
    [{ "aws.endpoint": "https://minio.example/?x=" }, "the endpoint has a user, a query or a fragment"],
  ];
  for (const [more, message] of wrong) await rejects({ ...good, ...more }, message);
  await checkOptions({ options: { ...good, "aws.s3.bucket": "arn:aws:s3:eu-central-1:1:accesspoint/a" } });
  await rejects({ ...good, "aws.endpoint": "minio" }, "the endpoint is no URL of HTTP or HTTPS");
  await rejects({ ...good, "aws.s3.checksum": "MD5" }, "unsupported checksum: MD5");
});

test("a plan names object and bucket", async () => {
  using context = stepContext();
  const input = { bucket: "b", key: "k", region: "r", accessKeyId: "i", secretAccessKey: "s", path };
  assert.equal(await planStep("upload-s3", "put", input, context), `stores ${path} as k in the bucket b`);
});
