// Whatever a server does wrong has a code, says whether a retry can help, and leaves nothing in the folder.

import assert from "node:assert/strict";
import { createServer as createSocketServer, type Socket } from "node:net";
import { test } from "node:test";
import type { Failure } from "../../../host/errors.ts";
import { sha256 } from "../../support/artifact-server.ts";
import { listen } from "../../support/listen.ts";
import { fetching, serve } from "./server.ts";

const facts = ({ code, retryable }: Failure) => ({ code, retryable });

test("a status says whether a retry can help", async () => {
  await using server = await serve((request, response) => response.writeHead(Number(request.url!.slice(1))).end("no"));
  using step = fetching();
  for (const status of [404, 410]) {
    const failure = await step.refused(`${server.url}/${status}`);
    assert.deepEqual(facts(failure), { code: "DOWNLOAD_NOT_FOUND", retryable: false });
    assert.match(failure.remedy!, /`url`/);
  }
  for (const status of [500, 502, 503, 408, 429]) {
    const failure = await step.refused(`${server.url}/${status}`);
    assert.deepEqual(facts(failure), { code: "DOWNLOAD_HTTP_STATUS", retryable: true });
    assert.deepEqual(failure.details, { status });
  }
  for (const status of [401, 403]) {
    const failure = await step.refused(`${server.url}/${status}`);
    assert.deepEqual(facts(failure), { code: "DOWNLOAD_FORBIDDEN", retryable: false });
    assert.match(failure.remedy!, /`credentials`/);
  }
  for (const status of [400, 204, 206, 304, 300])
    assert.deepEqual(facts(await step.refused(`${server.url}/${status}`)), {
      code: "DOWNLOAD_HTTP_STATUS",
      retryable: false,
    });
});

test("a body with less than its Content-Length is truncated", async () => {
  await using server = await serve((_, response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("only this");
    response.socket!.end();
  });
  using step = fetching();
  const failure = await step.refused(`${server.url}/file`);
  assert.deepEqual(facts(failure), { code: "DOWNLOAD_TRUNCATED", retryable: true });
  assert.match(failure.message, / of 1000 bytes/);
});

test("of a body with more than its Content-Length only that much counts, which is not the wanted file", async () => {
  const answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ncontent";
  await using server = await listen(
    createSocketServer((socket) => {
      socket.on("error", () => {}).once("data", () => socket.end(answer));
    }),
  );
  using step = fetching();
  const url = `http://127.0.0.1:${server.port}/file`;
  const wrongSize = await step.refused(url, { sizeBytes: 7 });
  assert.deepEqual(facts(wrongSize), { code: "DOWNLOAD_SIZE_MISMATCH", retryable: false });
  const wrongContent = await step.refused(url, { checksums: { SHA256: sha256("content") } });
  assert.deepEqual(facts(wrongContent), { code: "DOWNLOAD_CHECKSUM_MISMATCH", retryable: false });
  await step.fetch(url, { checksums: { SHA256: sha256("cont") } });
  assert.deepEqual(step.files(), { file: "cont" });
});

test("a chunked body that is cut off is truncated, whether the connection is closed or reset", async () => {
  for (const end of ["end", "resetAndDestroy"] as const) {
    await using server = await serve((_, response) => {
      response.write("only this");
      response.socket!.once("drain", () => {});
      setImmediate(() => response.socket![end]());
    });
    using step = fetching();
    const failure = await step.refused(`${server.url}/file`);
    assert.equal(failure.retryable, true);
    // A reset may overtake the beginning of the answer.
    const codes = end === "end" ? ["DOWNLOAD_TRUNCATED"] : ["DOWNLOAD_TRUNCATED", "DOWNLOAD_CONNECTION_FAILED"];
    assert.ok(codes.includes(failure.code), failure.code);
  }
});

test("a server that says nothing at all is silent", async () => {
  await using server = await serve(() => {});
  using step = fetching({ silenceTimeout: "100ms" });
  const failure = await step.refused(`${server.url}/file`);
  assert.deepEqual(facts(failure), { code: "DOWNLOAD_SILENT", retryable: true });
  assert.match(failure.message, /said nothing for 100 ms/);
});

test("a server that stops in the middle is silent", async () => {
  await using server = await serve((_, response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("only this");
  });
  using step = fetching({ silenceTimeout: "100ms" });
  const failure = await step.refused(`${server.url}/file`);
  assert.deepEqual(facts(failure), { code: "DOWNLOAD_SILENT", retryable: true });
  assert.ok(step.context.reports.length > 0, "the beginning had arrived");
});

test("a server that accepts and never speaks TLS is silent, too", async () => {
  const sockets: Socket[] = [];
  await using server = await listen(createSocketServer((socket) => sockets.push(socket)));
  using step = fetching({ silenceTimeout: "100ms" });
  const failure = await step.refused(`https://127.0.0.1:${server.port}/file`);
  assert.equal(failure.code, "DOWNLOAD_SILENT");
  for (const socket of sockets) socket.destroy();
});

test("a server that is slower than the silence timeout as a whole, and says something in time, is not silent", async () => {
  await using server = await serve(async (_, response) => {
    for (let part = 0; part < 10; part++) {
      response.write(`${part}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    response.end();
  });
  using step = fetching({ silenceTimeout: "900ms", minBytesPerSecond: 2 });
  await step.fetch(`${server.url}/file`);
  assert.deepEqual(step.files(), { file: "0123456789" });
});

test("redirects that go round, lead nowhere, or to another protocol are refused", async () => {
  await using server = await serve((request, response) => {
    const location = {
      "/loop": "/loop",
      "/ftp": "ftp://127.0.0.1/x",
      "/broken": "http://[",
      "/file": "file:///etc/passwd",
    };
    const to = location[request.url as keyof typeof location];
    response.writeHead(302, to === undefined ? {} : { location: to }).end();
  });
  using step = fetching();
  const loop = await step.refused(`${server.url}/loop`);
  assert.deepEqual(facts(loop), { code: "DOWNLOAD_REDIRECT_LOOP", retryable: false });
  assert.match(loop.message, /after 5 redirects/);
  assert.equal(server.requests.length, 6);
  for (const path of ["ftp", "broken", "file", "without-location"]) {
    const failure = await step.refused(`${server.url}/${path}`);
    assert.equal(failure.code, "DOWNLOAD_REDIRECT_REFUSED");
    assert.match(failure.message, /leads nowhere/);
  }
});

test("an answer that is no HTTP is a failed connection", async () => {
  await using server = await listen(
    createSocketServer((socket) => {
      socket.on("error", () => {}).resume();
      socket.end("220 smtp.example ready\r\n");
    }),
  );
  using step = fetching();
  const failure = await step.refused(`http://127.0.0.1:${server.port}/file`);
  assert.equal(failure.code, "DOWNLOAD_CONNECTION_FAILED");
});

test("a port with nobody and a host that is not known are failed connections", async () => {
  const unused = await listen(createSocketServer());
  await unused[Symbol.asyncDispose]();
  using step = fetching();
  const nobody = await step.refused(`http://127.0.0.1:${unused.port}/file`);
  assert.deepEqual(facts(nobody), { code: "DOWNLOAD_CONNECTION_FAILED", retryable: true });
  assert.deepEqual(nobody.details, { reason: "ECONNREFUSED" });
  // The domain invalid never exists (RFC 6761); without a name service it is another reason.
  const unknown = await step.refused("http://nowhere.invalid/file");
  assert.deepEqual(facts(unknown), { code: "DOWNLOAD_CONNECTION_FAILED", retryable: true });
  assert.match(String(unknown.details!.reason), /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED)$/);
});

test("an address that is none says so without repeating it", async () => {
  using step = fetching();
  for (const url of [
    "http://",
    "http://user:secret@",
    "https://host:99999/secret",
    "http://[secret/",
    "http://se cret/",
  ]) {
    const failure = await step.refused(url, { filename: "file" });
    assert.deepEqual(facts(failure), { code: "DOWNLOAD_URL_INVALID", retryable: false });
    assert.doesNotMatch(JSON.stringify(failure), /secret|se cret/);
  }
});

test("no failure and no line of the log shows user, password or query of the URL", async () => {
  await using server = await serve((request, response) => {
    const { pathname } = new URL(request.url!, "http://here");
    if (pathname === "/loop") response.writeHead(302, { location: "/loop?token=hidden" }).end();
    else if (pathname === "/cut") {
      response.writeHead(200, { "content-length": 1000 }).write("x");
      setImmediate(() => response.socket!.end());
    } else if (pathname === "/silent") response.writeHead(200).write("x");
    else if (pathname === "/good") response.end("content");
    else response.writeHead(500).end();
  });
  using step = fetching({ silenceTimeout: "300ms", maxSizeBytes: 100_000 });
  const credentials = (path: string) => `${server.url.replace("//", "//hidden:hidden@")}/${path}?token=hidden#hidden`;
  const wrong = { checksums: { SHA256: "0".repeat(64) } };
  const failures = [
    await step.refused(credentials("loop")),
    await step.refused(credentials("cut")),
    await step.refused(credentials("silent")),
    await step.refused(credentials("missing")),
    await step.refused(credentials("good"), { sizeBytes: 3 }),
    await step.refused(credentials("good"), { sizeBytes: 30 }),
    await step.refused(credentials("good"), { sizeBytes: 200_000 }),
    await step.refused(credentials("good"), wrong),
    await step.refused(credentials("good"), { filename: "a/b" }),
    await step.refused("http://hidden:hidden@nowhere.invalid/x?token=hidden"),
    await step.refused("https://hidden:hidden@127.0.0.1:1/x?token=hidden"),
  ];
  await step.fetch(credentials("good"));
  assert.equal(new Set(failures.map(({ code }) => code)).size, 9);
  const said = [failures, step.context.lines, step.context.reports].map((value) => JSON.stringify(value)).join("\n");
  assert.doesNotMatch(said, /hidden|token/);
});
