import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import type { JsonObject } from "../../../host/sdk.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { listen } from "../../support/listen.ts";
import { planStep } from "../../support/step-context.ts";
import { asking, serve, serveBody } from "./asking.ts";

test("a healthy server is healthy: status, headers and text come out", async () => {
  await using server = await serve(
    (_, response) => void response.writeHead(204, { "x-version": "7", "set-cookie": ["session=secret"] }).end(),
  );
  using step = asking();
  const output = await step.ask(`${server.url}/health?deep=1`);
  assert.equal(output.status, 204);
  assert.equal(output.body, "");
  assert.equal(output.json, null);
  assert.equal(output.headers["x-version"], "7");
  assert.ok(!("set-cookie" in output.headers));
  const [{ method, url, headers }] = server.seen as [(typeof server.seen)[0]];
  assert.deepEqual([method, url, headers["user-agent"]], ["GET", "/health?deep=1", "gantry"]);
  assert.equal(headers["idempotency-key"], undefined);
});

test("JSON comes out as a value, text as text, and what only claims to be JSON as text", async () => {
  using step = asking();
  await using json = await serveBody({ status: "up", parts: [1, null] });
  const output = await step.ask(json.url);
  assert.deepEqual([output.body, output.json], [null, { status: "up", parts: [1, null] }]);
  await using text = await serveBody("größe");
  assert.equal((await step.ask(text.url)).body, "größe");
  await using broken = await serve(
    (_, response) => void response.setHeader("content-type", "application/problem+json").end("{"),
  );
  assert.deepEqual(await step.ask(broken.url).then(({ body, json: value }) => [body, value]), ["{", null]);
  assert.equal(await step.refused(broken.url, { expectBody: { json: {} } }), "HTTP_BODY_MISMATCH");
});

test("a body is sent with its method, and repeated under one key", async () => {
  await using server = await serveBody("ok");
  using step = asking();
  await step.ask(server.url, { method: "POST", body: { on: true }, headers: { "X-Own": "1" } });
  await step.ask(server.url, { method: "PUT", body: "text", headers: { "content-type": "text/csv" } });
  await step.ask(server.url, { method: "DELETE" });
  const [post, put, remove] = server.seen as [
    (typeof server.seen)[0],
    (typeof server.seen)[0],
    (typeof server.seen)[0],
  ];
  assert.deepEqual([post.method, post.body, post.headers["content-type"]], ["POST", '{"on":true}', "application/json"]);
  assert.equal(post.headers["x-own"], "1");
  assert.equal(post.headers["idempotency-key"], `"${step.context.idempotencyKey}"`);
  assert.deepEqual([put.method, put.body, put.headers["content-type"]], ["PUT", "text", "text/csv"]);
  assert.deepEqual([remove.method, remove.body, remove.headers["content-length"]], ["DELETE", "", undefined]);
});

test("other statuses are failures unless they are expected; those that pass may be tried again", async () => {
  using step = asking();
  for (const [status, retryable] of [
    [404, false],
    [401, false],
    [500, true],
    [503, true],
    [429, true],
    [304, false],
  ] as const) {
    await using server = await serveBody(status === 304 ? "" : "what went wrong", status);
    const failure = await step.failure(server.url);
    assert.deepEqual([failure.code, failure.retryable], ["HTTP_STATUS", retryable], `${status}`);
    assert.equal(failure.details!.status, status);
    assert.equal((await step.ask(server.url, { expectStatus: [200, status] })).status, status);
  }
  await using server = await serveBody("what went wrong".repeat(100), 500);
  assert.match((await step.failure(server.url)).details!.body as string, /^what went wrong/);
  await using ok = await serveBody("ok");
  assert.equal(await step.refused(ok.url, { expectStatus: [201] }), "HTTP_STATUS");
});

test("a text that is expected must be in the answer", async () => {
  await using server = await serveBody("status: UP\nversion: 7\n");
  using step = asking();
  await step.ask(server.url, { expectBody: { contains: "version: 7" } });
  const failure = await step.failure(server.url, { expectBody: { contains: "version: 8" } });
  assert.deepEqual([failure.code, failure.retryable], ["HTTP_BODY_MISMATCH", true]);
});

test("a value that is expected must be in the answer; more than that may be, too", async () => {
  const answer = { status: "UP", parts: [{ name: "disk", free: 7 }, { name: "net" }], "a/b": null, none: {} };
  await using server = await serveBody(answer);
  using step = asking();
  const right: JsonObject[] = [{}, { status: "UP" }, { parts: [{ name: "disk" }, {}] }, { "a/b": null, none: {} }];
  for (const json of right) await step.ask(server.url, { expectBody: { json } });
  const wrong: [JsonObject, place: string][] = [
    [{ status: "DOWN" }, "/status"],
    [{ status: { UP: true } }, "/status"],
    [{ missing: null }, "/missing"],
    [{ parts: [{ name: "disk" }] }, "/parts"],
    [{ parts: { 0: { name: "disk" } } }, "/parts"],
    [{ parts: [{ free: "7" }, {}] }, "/parts/0/free"],
    [{ "a/b": 0 }, "/a~1b"],
    [{ toString: {} }, "/toString"],
  ];
  for (const [json, place] of wrong) {
    const failure = await step.failure(server.url, { expectBody: { json } });
    assert.equal(failure.code, "HTTP_BODY_MISMATCH");
    assert.ok(failure.message.includes(`"${place}"`), `${failure.message}: ${place}`);
  }
});

test("an answer is read up to its limit, and no further", async () => {
  let closed = 0;
  await using server = await serve((_, response) => {
    response.on("close", () => closed++);
    const write = () => {
      while (!response.destroyed && response.write("x".repeat(10_000)));
    };
    response.on("drain", write);
    write();
  });
  using step = asking();
  assert.equal(await step.refused(server.url), "HTTP_BODY_TOO_LARGE");
  await waitFor("the end of the connection", () => closed === 1);
  await using exact = await serveBody("x".repeat(65_536));
  assert.equal((await step.ask(exact.url)).body!.length, 65_536);
  assert.equal(await step.refused(exact.url, { maxBodyBytes: 65_535 }), "HTTP_BODY_TOO_LARGE");
  await using more = await serveBody("x".repeat(65_537));
  assert.equal(await step.refused(more.url), "HTTP_BODY_TOO_LARGE");
});

test("nobody there, an answer cut short and an answer of no HTTP are all unreachable", async () => {
  using step = asking();
  const gone = await listen(createServer());
  await gone[Symbol.asyncDispose]();
  const failure = await step.failure(`http://127.0.0.1:${gone.port}/health`);
  assert.deepEqual(
    [failure.code, failure.retryable, failure.details],
    ["HTTP_UNREACHABLE", true, { reason: "ECONNREFUSED" }],
  );
  assert.equal(await step.refused("http://does-not-exist.invalid/"), "HTTP_UNREACHABLE");
  for (const text of ["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", "SSH-2.0-OpenSSH\r\n", ""]) {
    const server = createServer(
      (socket) =>
        void socket
          .on("error", () => {})
          .resume()
          .end(text),
    );
    await using port = await listen(server);
    assert.equal(await step.refused(`http://127.0.0.1:${port.port}/`), "HTTP_UNREACHABLE", text);
  }
});

test("a server that says nothing, or stops in the middle, is not waited for longer than is said", async () => {
  using step = asking({ silenceTimeout: "100ms" });
  for (const beginning of ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegin"]) {
    const server = createServer(
      (socket) =>
        void socket
          .on("error", () => {})
          .resume()
          .write(beginning),
    );
    const sockets: import("node:net").Socket[] = [];
    server.on("connection", (socket) => sockets.push(socket));
    await using port = await listen(server);
    const failure = await step.failure(`http://127.0.0.1:${port.port}/`);
    assert.deepEqual([failure.code, failure.retryable], ["HTTP_SILENT", true], beginning);
    for (const socket of sockets) socket.destroy();
  }
});

test("an abort ends the request with its own reason", async () => {
  using step = asking();
  const server = createServer((socket) => void socket.on("error", () => {}));
  await using port = await listen(server);
  const reason = new Error("cancelled");
  const asked = step.ask(`http://127.0.0.1:${port.port}/`);
  const [socket] = (await once(server, "connection")) as [import("node:net").Socket];
  step.context.controller.abort(reason);
  await assert.rejects(asked, (error) => error === reason);
  socket.destroy();
});

test("addresses and headers that cannot be sent are refused before anything is", async () => {
  await using server = await serveBody("ok");
  using step = asking();
  assert.equal(await step.refused("http://"), "HTTP_URL_INVALID");
  assert.equal(await step.refused("http://exa mple/"), "HTTP_URL_INVALID");
  const headers: Record<string, string>[] = [
    { "x-own": "a\r\nx-evil: b" },
    { "content-length": "0" },
    { Host: "elsewhere" },
    { "Transfer-Encoding": "chunked" },
    { connection: "upgrade" },
  ];
  for (const given of headers) assert.equal(await step.refused(server.url, { headers: given }), "HTTP_HEADER_INVALID");
  await assert.rejects(step.ask(server.url, { headers: { "x own": "1" } }), /the input of http\/request/);
  assert.equal(server.seen.length, 0);
});

test("the proxy of the environment is used, and one that opens no tunnel is told of", async () => {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", (data) => {
        asked.push(data.toString().split("\r\n")[0]!);
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      });
  });
  await using proxy = await listen(server);
  using step = asking();
  process.env.HTTPS_PROXY = `http://user:hunter2@127.0.0.1:${proxy.port}`;
  try {
    const failure = await step.failure("https://far.example/health");
    assert.deepEqual([failure.code, failure.retryable], ["HTTP_PROXY_FAILED", false]);
    assert.ok(!JSON.stringify(failure).includes("hunter2"));
    assert.deepEqual(asked, ["CONNECT far.example:443 HTTP/1.1"]);
  } finally {
    delete process.env.HTTPS_PROXY;
  }
});

test("the plan names method and address, without what is secret in it", async () => {
  using step = asking();
  const input = { method: "POST", url: "https://user:hunter2@api.example/start?key=hunter2" };
  assert.equal(await planStep("http", "request", input, step.context), "sends POST to https://api.example/start");
});
