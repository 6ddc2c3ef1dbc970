import assert from "node:assert/strict";
import { test } from "node:test";
import { asking, serve, serveBody } from "./asking.ts";

/** Redirects `/N` to `/N-1`, and answers `/0`. */
const serveSteps = (status = 302) =>
  serve((request, response) => {
    const left = Number(request.url!.slice(1));
    if (left === 0) response.end("there");
    else response.writeHead(status, { location: `/${left - 1}` }).end("elsewhere");
  });

const redirecting = (to: string, status = 302) =>
  serve((_, response) => void response.writeHead(status, to === "" ? {} : { location: to }).end());

test("redirects are followed up to their number, and taken for answers where none is to be", async () => {
  await using server = await serveSteps();
  using step = asking();
  assert.equal((await step.ask(`${server.url}/5`)).body, "there");
  assert.equal(await step.refused(`${server.url}/6`), "HTTP_REDIRECT_LOOP");
  assert.equal((await step.ask(`${server.url}/6`, { maxRedirects: 6 })).body, "there");
  assert.equal(await step.refused(`${server.url}/1`, { maxRedirects: 0 }), "HTTP_STATUS");
  const { headers } = await step.ask(`${server.url}/1`, { maxRedirects: 0, expectStatus: [302] });
  assert.equal(headers.location, "/0");
});

test("a redirect to nowhere is refused", async () => {
  using step = asking();
  for (const to of ["", "http://", "ftp://127.0.0.1/", "file:///etc/passwd", "javascript:1"]) {
    await using server = await redirecting(to);
    assert.equal(await step.refused(server.url), "HTTP_REDIRECT_REFUSED", to);
  }
});

test("method and body stay where the status says so, and become those of a GET otherwise", async () => {
  using step = asking();
  const send = { method: "POST", body: { on: true } };
  for (const [status, method, body] of [
    [301, "GET", ""],
    [302, "GET", ""],
    [303, "GET", ""],
    [307, "POST", '{"on":true}'],
    [308, "POST", '{"on":true}'],
  ] as const) {
    await using server = await serveSteps(status);
    await step.ask(`${server.url}/1`, send);
    const last = server.seen.at(-1)!;
    assert.deepEqual([last.method, last.body], [method, body], `${status}`);
    assert.equal(last.headers["content-type"], body === "" ? undefined : "application/json");
  }
  await using server = await serveSteps(302);
  await step.ask(`${server.url}/1`, { method: "PUT", body: "x" });
  assert.deepEqual([server.seen.at(-1)!.method, server.seen.at(-1)!.body], ["PUT", "x"]);
});

test("credentials go to the server they are for only, and secret headers stay with the first", async () => {
  await using last = await serveBody("there");
  await using first = await redirecting(`http://localhost:${last.port}/`);
  const credentials = [
    { origin: first.url, username: "device", password: { $secret: "PASSWORD" } },
    { origin: "http://other.example", token: { $secret: "TOKEN" } },
  ];
  const secret = async (key: string) => ({ "credentials.0.password": "hunter2" })[key]!;
  using step = asking({ credentials }, { secret });
  await step.ask(first.url, { headers: { cookie: "session", "x-api": "kept" } });
  const basic = `Basic ${Buffer.from("device:hunter2").toString("base64")}`;
  assert.deepEqual([first.seen[0]!.headers.authorization, first.seen[0]!.headers.cookie], [basic, "session"]);
  assert.deepEqual([last.seen[0]!.headers.authorization, last.seen[0]!.headers.cookie], [undefined, undefined]);
  assert.equal(last.seen[0]!.headers["x-api"], "kept");
});

test("a token is sent as such, and user and password of an address as what they are", async () => {
  await using server = await serveBody("ok");
  const credentials = [{ origin: server.url, token: { $secret: "TOKEN" } }];
  using step = asking({ credentials }, { secret: async (key) => `secret of ${key}` });
  await step.ask(server.url);
  await step.ask(server.url.replace("//", "//user:p%40ss@"));
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.authorization),
    ["Bearer secret of credentials.0.token", `Basic ${Buffer.from("user:p@ss").toString("base64")}`],
  );
});

test("only allowed hosts are asked, also after a redirect", async () => {
  await using last = await serveBody("there");
  await using first = await redirecting(`http://localhost:${last.port}/`);
  const refused = async (allowedHosts: string[], url = first.url) => {
    using step = asking({ allowedHosts });
    const { code } = await step.failure(url);
    assert.equal(code, "HTTP_HOST_NOT_ALLOWED", `${allowedHosts}`);
  };
  await refused([]);
  await refused(["127.0.0.1"]);
  assert.equal(last.seen.length, 0);
  await refused(["127.0.0.1:1", "localhost"]);
  await refused(["*.0.0.1:1"]);
  await refused(["*.example"], "http://example/");
  await refused(["*.example"], "http://notexample/");
  for (const allowedHosts of [
    ["127.0.0.1", "LOCALHOST"],
    [`127.0.0.1:${first.port}`, `localhost:${last.port}`],
  ]) {
    using step = asking({ allowedHosts });
    assert.equal((await step.ask(first.url)).body, "there");
  }
  using step = asking({ allowedHosts: ["*.localhost"] });
  assert.notEqual(await step.refused("http://a.localhost:1/"), "HTTP_HOST_NOT_ALLOWED");
});
