import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { permittedFetch } from "../../host/loading/permitted-fetch.ts";

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}

/** An HTTP server on 127.0.0.1 that remembers its requests; `localhost` is the same machine under a foreign name. */
async function serve(t: TestContext, answer: (seen: Seen, response: Parameters<RequestListener>[1]) => void) {
  const requests: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const seen = { method: request.method, url: request.url, headers: request.headers, body };
    requests.push(seen);
    answer(seen, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

test("a host of the manifest may be talked to, another is refused before anything is sent", async (t) => {
  const { port, requests } = await serve(t, (_, response) => response.end("hello"));
  const allowed = permittedFetch("lamp", ["127.0.0.1"]);
  assert.equal(await (await allowed(`http://127.0.0.1:${port}/`)).text(), "hello");
  const none = permittedFetch("lamp", []);
  for (const fetch of [permittedFetch("lamp", ["other.example"]), permittedFetch("lamp", ["127.0.0.1:1"]), none])
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`), {
      code: "PERMISSION_DENIED",
      message: /plugin lamp may not talk to 127\.0\.0\.1:\d+/,
      retryable: false,
    });
  assert.equal(requests.length, 1);
});

test("a star permits every host, but no other protocol", async (t) => {
  const { port } = await serve(t, (_, response) => response.end("hello"));
  const fetch = permittedFetch("lamp", ["*"]);
  assert.equal((await fetch(new URL(`http://127.0.0.1:${port}/`))).status, 200);
  await assert.rejects(fetch("data:text/plain,hello"), { code: "PERMISSION_DENIED" });
});

test("a domain below a star permits what lies below it and nothing that only ends alike", async () => {
  const fetch = permittedFetch("lamp", ["*.hub.example"]);
  for (const host of ["hub.example", "evilhub.example", "hub.example.evil"])
    await assert.rejects(fetch(`http://${host}/`), { code: "PERMISSION_DENIED" });
  // Permitted, so the check passes and it is the aborted signal that ends it.
  const permitted = fetch("http://a.hub.example/", { signal: AbortSignal.abort() });
  await assert.rejects(permitted, { name: "AbortError" });
});

test("a redirect to a foreign host is refused and never requested", async (t) => {
  const foreign = await serve(t, (_, response) => response.end("secrets"));
  const { port } = await serve(t, (_, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${foreign.port}/stolen` }).end(),
  );
  const fetch = permittedFetch("lamp", [`127.0.0.1:${port}`]);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`), { code: "PERMISSION_DENIED" });
  assert.equal(foreign.requests.length, 0);
});

test("a permitted redirect is followed, and credentials stay with the first origin", async (t) => {
  const second = await serve(t, (_, response) => response.end("there"));
  const first = await serve(t, (_, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${second.port}/next` }).end(),
  );
  const fetch = permittedFetch("lamp", ["127.0.0.1"]);
  const response = await fetch(`http://127.0.0.1:${first.port}/`, {
    method: "PUT",
    body: "content",
    headers: { authorization: "Basic abc", "x-kept": "yes" },
  });
  assert.equal(await response.text(), "there");
  assert.equal(response.url, `http://127.0.0.1:${second.port}/next`);
  const [{ method, url, headers, body }] = second.requests as [Seen];
  assert.deepEqual({ method, url, body }, { method: "PUT", url: "/next", body: "content" });
  assert.equal(headers.authorization, undefined);
  assert.equal(headers["x-kept"], "yes");
  assert.equal(first.requests[0]?.headers.authorization, "Basic abc");
});

test("a redirect with 303 turns a POST into a GET without a body, and within one origin credentials go along", async (t) => {
  const { port, requests } = await serve(t, ({ url }, response) =>
    url === "/" ? response.writeHead(303, { location: "/done" }).end() : response.end("done"),
  );
  const fetch = permittedFetch("lamp", ["127.0.0.1"]);
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: "POST",
    body: "{}",
    headers: { authorization: "Basic abc", "content-type": "application/json" },
  });
  assert.equal(await response.text(), "done");
  const { method, headers, body } = requests[1]!;
  assert.deepEqual({ method, body }, { method: "GET", body: "" });
  assert.equal(headers["content-type"], undefined);
  assert.equal(headers.authorization, "Basic abc");
});

test("redirects that never end are given up", async (t) => {
  const { port, requests } = await serve(t, (_, response) => response.writeHead(302, { location: "/again" }).end());
  await assert.rejects(permittedFetch("lamp", ["127.0.0.1"])(`http://127.0.0.1:${port}/`), TypeError);
  assert.equal(requests.length, 21);
});

test("who asks for no redirect gets the redirect itself", async (t) => {
  const { port } = await serve(t, (_, response) => response.writeHead(302, { location: "http://evil.example/" }).end());
  const fetch = permittedFetch("lamp", ["127.0.0.1"]);
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, { redirect: "manual" })).status, 302);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`, { redirect: "error" }), TypeError);
});
