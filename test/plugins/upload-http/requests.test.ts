import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { JsonObject } from "../../../host/sdk.ts";
import { sendUpload } from "../../../host/uploading/request.ts";
import { checkOptions } from "../../../plugins/upload-http/options.ts";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { listen } from "../../support/listen.ts";
import { needs } from "../../support/parts.ts";
import { type PutServer, startPutServer } from "../../support/put-server.ts";
import { failureOf, planStep, runStep, stepContext } from "../../support/step-context.ts";

const directory = mkdtempSync(join(tmpdir(), "gantry-upload-http-"));
const path = join(directory, "file");
let server: PutServer;

before(async () => {
  server = await startPutServer();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const md5 = (content: string | Buffer) => createHash("md5").update(content).digest("base64");

async function put(input: JsonObject, content: string | Buffer = "content", config: JsonObject = {}) {
  writeFileSync(path, content);
  using context = stepContext();
  return await runStep("upload-http", "put", { path, ...input }, context, config);
}

test("the request is a PUT with the length and type of the original, also of an empty file", async () => {
  for (const content of ["content", ""]) {
    await put({ url: `${server.url}/plain` }, content);
    const {
      "content-length": length,
      "content-type": type,
      "transfer-encoding": coding,
    } = server.headers.get("/plain")!;
    assert.deepEqual([length, type, coding], [String(content.length), "application/x-binary", undefined]);
    assert.equal(server.methods.get("/plain"), "PUT");
  }
});

test("method and headers are the workflow's; with a prefix only those that have it", async () => {
  const headers = { "https.header.X-One": "1", "https.header.Content-Type": "text/csv", "https.url": "no header" };
  await put({ url: `${server.url}/posted`, method: "POST", headers, headerPrefix: "https.header." });
  const { "x-one": one, "content-type": type } = server.headers.get("/posted")!;
  assert.deepEqual([one, type, server.methods.get("/posted")], ["1", "text/csv", "POST"]);
});

test("headers that belong to the connection, and such as cannot be sent, are refused before anything is", async () => {
  const names = [
    "Trailer",
    "TE",
    "Keep-Alive",
    "Expect",
    "Content-Length",
    "Content-Range",
    "",
    `${"x".repeat(9000)}\n`,
  ];
  for (const [name, value] of [...names.map((name) => [name, "x"]), ["X-Line", "a\r\nb"], ["X-Euro", "€"]] as const) {
    const failed = await failureOf("upload-http", put({ url: `${server.url}/headers`, headers: { [name]: value } }));
    assert.equal(failed.code, "UPLOAD_HTTP_HEADER_INVALID", name);
    assert.ok(failed.message.length < 200);
  }
  assert.equal(server.headers.has("/headers"), false);
});

test("what Node refuses only when the request leaves fails the request, and nothing else", async () => {
  const agent = new Agent();
  const sending = sendUpload(new URL(`${server.url}/late`), chunksOf("content"), {
    method: "PUT",
    headers: { trailer: "x" },
    lengthBytes: 7,
    agent: agent as never,
    signal: AbortSignal.timeout(60_000),
  });
  await assert.rejects(sending, { code: "ERR_HTTP_TRAILER_INVALID" });
  agent.destroy();
});

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

test("the checksum is the last word on Content-MD5", async () => {
  await put({ url: `${server.url}/md5`, checksum: true, headers: { "Content-MD5": "another" } });
  assert.equal(server.headers.get("/md5")!["content-md5"], md5("content"));
});

test("checksum is the MD5 of what is sent, and compression is named", async () => {
  await put({ url: `${server.url}/sum`, checksum: true });
  assert.equal(server.headers.get("/sum")!["content-md5"], md5("content"));
  await put({ url: `${server.url}/sum`, checksum: true, compression: "gzip" });
  const { "content-md5": sum, "content-encoding": encoding, "content-length": length } = server.headers.get("/sum")!;
  assert.equal(sum, md5(server.files.get("/sum")!));
  assert.equal(encoding, "gzip");
  assert.equal(length, String(server.files.get("/sum")!.length));
});

test("a server that takes a part for the whole file is not given the next one", async () => {
  await using plain = await startPutServer({ ranges: "ignored" });
  const failed = await failureOf(
    "upload-http",
    put({ url: `${plain.url}/x`, resume: "content-range" }, Buffer.alloc(600_000), { partSizeBytes: 262_144 }),
  );
  assert.deepEqual([failed.code, failed.retryable], ["UPLOAD_HTTP_NOT_RESUMABLE", false]);
  assert.equal(plain.files.get("/x")!.length, 262_144);
});

test("a server that answers 202 to a part has taken it", async () => {
  await using session = await startPutServer({ ranges: "202" });
  await put({ url: `${session.url}/x`, resume: "content-range" }, Buffer.alloc(600_000), { partSizeBytes: 262_144 });
  assert.equal(session.files.get("/x")!.length, 600_000);
});

test("a server that says it has all of a file, or more, and does not take it is not asked for ever", async () => {
  let taken = 0;
  const server = createServer((request, response) => {
    request.resume();
    const asks = request.headers["content-range"]?.startsWith("bytes */");
    request.on("end", () => response.writeHead(asks ? 308 : 503, asks ? { range: `bytes=0-${taken - 1}` } : {}).end());
  });
  await using listening = await listen(server);
  writeFileSync(path, Buffer.alloc(1000));
  const input = { path, url: `http://127.0.0.1:${listening.port}/x`, resume: "content-range" };
  using begun = stepContext();
  await failureOf("upload-http", runStep("upload-http", "put", input, begun));
  for (taken of [1000, 1001, 1e9]) {
    using context = stepContext({ lastCheckpoint: begun.checkpoints[0]! });
    const failed = await failureOf("upload-http", runStep("upload-http", "put", input, context));
    assert.equal(failed.code, "UPLOAD_HTTP_NOT_RESUMABLE");
  }
  server.closeAllConnections();
});

test("what is compressed on the way cannot be resumed, and is refused before anything is sent", async () => {
  const input = { url: `${server.url}/never`, resume: "content-range", compression: "gzip" };
  assert.equal((await failureOf("upload-http", put(input))).code, "UPLOAD_HTTP_OPTION_INVALID");
  assert.equal(server.headers.has("/never"), false);
});

test("a status that passes is tried again, in the words of the original", async () => {
  await using busy = await startPutServer({ status: 503 });
  const failed = await failureOf("upload-http", put({ url: `${busy.url}/x` }));
  assert.deepEqual(
    [failed.code, failed.retryable, failed.message],
    ["UPLOAD_HTTP_SERVER_ERROR", true, "upload failed - code: 503, status: 503 Service Unavailable"],
  );
});

test("the options of a start are judged in the words of the original", async () => {
  const url = "https://a.example/x";
  await checkOptions({ options: { "https.url": url } });
  await checkOptions({ options: { "https.url": url, "https.method": "POST", "https.resume": "content-range" } });
  const refused: [Record<string, string>, string][] = [
    [{}, "upload URL not specified"],
    [{ "https.url": "" }, "upload URL not specified"],
    [{ "https.url": url, "https.method": "GET" }, "unsupported HTTP method: GET"],
    [{ "https.url": url, "https.resume": "tus" }, "unsupported way to resume: tus"],
    [{ "https.url": "file:///x" }, "the upload URL is none of HTTP or HTTPS"],
  ];
  for (const [options, message] of refused)
    await assert.rejects(checkOptions({ options }), { code: "UPLOAD_HTTP_OPTION_INVALID", message });
});

test("a plan names the place without its signature", async () => {
  using context = stepContext();
  const sentence = await planStep("upload-http", "put", { path, url: "https://a.example/b?signature=x" }, context);
  assert.equal(sentence, `sends ${path} by PUT to https://a.example/b`);
});

test("with TLS the server must be one that the given authority has signed", { skip: needs("openssl") }, async () => {
  const certificates: Certificates = await makeCertificates(directory);
  const { ca, otherCa } = certificates;
  const cases = [
    ["server", ca.certFile, undefined],
    ["server", otherCa.certFile, "UPLOAD_TLS_UNTRUSTED"],
    ["server", null, "UPLOAD_TLS_UNTRUSTED"],
    ["otherName", ca.certFile, "UPLOAD_TLS_WRONG_NAME"],
    ["expired", ca.certFile, "UPLOAD_TLS_EXPIRED"],
    ["server", "/dev/null", "UPLOAD_CERTIFICATE_UNREADABLE"],
  ] as const;
  for (const [which, caCert, code] of cases) {
    await using secure = await startPutServer({ tls: certificates[which] });
    const putting = put({ url: `${secure.url}/x`, caCert });
    if (code === undefined) await putting;
    else assert.equal((await failureOf("upload-http", putting)).code, code);
    assert.equal(secure.files.has("/x"), code === undefined);
    // The plugin's own authority holds where the step names none.
    if (code === undefined) await put({ url: `${secure.url}/y` }, "content", { caCert });
  }
  const noTls = failureOf("upload-http", put({ url: server.url.replace("http:", "https:") }));
  assert.equal((await noTls).code, "UPLOAD_TLS_FAILED");
});

test("a proxy of the environment that opens no tunnel is told apart", async () => {
  process.env.HTTPS_PROXY = `http://user:a-secret@127.0.0.1:${server.port}`;
  try {
    const failed = await failureOf("upload-http", put({ url: "https://elsewhere.example/x" }));
    assert.equal(failed.code, "UPLOAD_PROXY_FAILED");
    assert.ok(!JSON.stringify(failed).includes("a-secret"));
  } finally {
    delete process.env.HTTPS_PROXY;
  }
});
