// Which downloads share a connection, and that one which a server has closed meanwhile costs nobody a download.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { makeCertificates } from "../../support/certificates.ts";
import { needs } from "../../support/parts.ts";
import { fetching, serve, type TestServer } from "./server.ts";

/** On how many connections the requests have come. */
const connectionsOf = ({ requests }: TestServer) => new Set(requests.map(({ socket }) => socket)).size;

const answer = (content: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n\r\n${content}`;

/** A server that hears of each request with its connection, and how many that one has had. */
async function serveBytes(onRequest: (socket: Socket, count: number) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let count = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (chunk.includes("\r\n\r\n")) onRequest(socket, ++count);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("downloads from one server, one after the other, share a connection, also those of later steps", async () => {
  await using server = await serve((request, response) => void response.end(request.url));
  using step = fetching();
  // Between two of them a busy disk may take longer than a connection waits; not always.
  const names = Array.from({ length: 10 }, (_, index) => `file-${index}`);
  for (const name of names) await step.fetch(`${server.url}/${name}`);
  using later = fetching();
  await later.fetch(`${server.url}/later`);
  assert.ok(connectionsOf(server) < names.length, `${connectionsOf(server)} connections`);
  assert.deepEqual(step.files(), Object.fromEntries(names.map((name) => [name, `/${name}`])));
  assert.deepEqual(later.files(), { later: "/later" });
});

test("a transfer with a limit has a connection of its own", async () => {
  await using server = await serve((_, response) => void response.end("content"));
  using step = fetching();
  for (const name of ["one", "two"]) await step.fetch(`${server.url}/${name}`, { bytesPerSecond: 1_000_000 });
  assert.equal(connectionsOf(server), 2);
});

test("with other certificates there is another connection", { skip: needs("openssl") }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-connections-"));
  try {
    const { server: named, ca, otherCa } = await makeCertificates(directory);
    await using server = await serve((_, response) => void response.end("content"), named);
    using step = fetching({ caCert: ca.certFile });
    await step.fetch(`${server.url}/one`);
    await step.fetch(`${server.url}/two`);
    const { code } = await step.refused(`${server.url}/three`, { caCert: otherCa.certFile });
    assert.equal(code, "DOWNLOAD_TLS_UNTRUSTED");
    assert.equal(server.requests.length, 2);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

for (const [how, close] of Object.entries<(socket: Socket) => void>({
  "resets it": (socket) => socket.resetAndDestroy(),
  "ends it": (socket) => socket.end(),
  "begins an answer and ends it": (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le"),
})) {
  test(`a server that ${how} when the next request comes over it is asked anew`, async () => {
    await using server = await serveBytes((socket, count) =>
      count === 1 ? void socket.write(answer("content")) : close(socket),
    );
    using step = fetching();
    const names = ["one", "two", "three"];
    for (const name of names) await step.fetch(`${server.url}/${name}`);
    assert.deepEqual(step.files(), Object.fromEntries(names.map((name) => [name, "content"])));
    assert.ok(server.sockets.length > 1);
  });
}

test("a server that also closes the new connection is asked once more, not for ever", async () => {
  let requests = 0;
  await using server = await serveBytes((socket) => {
    if (++requests === 1) socket.write(answer("content"));
    else socket.resetAndDestroy();
  });
  using step = fetching();
  await step.fetch(`${server.url}/one`);
  assert.equal((await step.refused(`${server.url}/two`)).code, "DOWNLOAD_CONNECTION_FAILED");
  assert.ok(requests <= 3, `${requests} requests`);
  assert.equal(server.sockets.length, 2);
});

test("what a server says unasked over an idle connection answers no later request", async () => {
  await using server = await serveBytes((socket) => void socket.write(answer("asked")));
  using step = fetching();
  await step.fetch(`${server.url}/one`);
  const [first] = server.sockets;
  first!.write(answer("unasked"));
  await waitFor("the end of the connection", () => first!.destroyed);
  await step.fetch(`${server.url}/two`);
  assert.deepEqual(step.files(), { one: "asked", two: "asked" });
});

test("a connection whose answer was not read to its end is not used again", async () => {
  await using server = await serve((request, response) => {
    if (request.url === "/large") response.end(Buffer.alloc(100_000));
    else response.end("content");
  });
  using step = fetching();
  assert.equal((await step.refused(`${server.url}/large`, { maxSizeBytes: 10 })).code, "DOWNLOAD_TOO_LARGE");
  await step.fetch(`${server.url}/file`);
  assert.equal(connectionsOf(server), 2);
  assert.deepEqual(step.files(), { file: "content" });
});
