// Who the device is to servers and proxies.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { listen } from "../../support/listen.ts";
import { needs } from "../../support/parts.ts";
import { fetching, serve } from "./server.ts";

const skip = needs("openssl");
const directory = mkdtempSync(join(tmpdir(), "gantry-access-"));
let certificates: Certificates;
before(async () => {
  if (!skip) certificates = await makeCertificates(directory);
});
after(() => rmSync(directory, { recursive: true }));

const serveContent = () => serve((_, response) => void response.end("content"));

test("credentials go to their own server only, by reference, and never into the log", async () => {
  await using other = await serveContent();
  await using server = await serve((request, response) => {
    if (request.url === "/away") response.writeHead(302, { location: `${other.url}/x` }).end();
    else response.writeHead(request.headers.authorization === undefined ? 401 : 200).end("content");
  });
  const asked: string[] = [];
  const secret = async (key: string) => {
    asked.push(key);
    return "hidden-secret";
  };
  const reference = { $secret: "FILES" };
  using basic = fetching({ credentials: [{ origin: server.url, username: "me", password: reference }] }, { secret });
  await basic.fetch(`${server.url}/file`);
  await basic.fetch(`${server.url}/away`);
  const sent = server.requests[0]!.headers.authorization!;
  assert.equal(Buffer.from(sent.replace("Basic ", ""), "base64").toString(), "me:hidden-secret");
  assert.equal(other.requests[0]!.headers.authorization, undefined);
  const elsewhere = { origin: "https://files.example", token: { $secret: "ELSE" } };
  using bearer = fetching({ credentials: [elsewhere, { origin: server.url, token: reference }] }, { secret });
  await bearer.fetch(`${server.url}/file`);
  assert.equal(server.requests.at(-1)!.headers.authorization, "Bearer hidden-secret");
  assert.deepEqual(new Set(asked), new Set(["credentials.0.password", "credentials.1.token"]));
  using nobody = fetching();
  assert.equal((await nobody.refused(`${server.url}/file`)).code, "DOWNLOAD_FORBIDDEN");
  const said = JSON.stringify([basic, bearer, nobody].map(({ context }) => [context.lines, context.reports]));
  assert.doesNotMatch(said, /hidden-secret/);
});

test("a secret that is written into the configuration itself is refused", async () => {
  using step = fetching({ credentials: [{ origin: "http://127.0.0.1:9", username: "me", password: "plain" }] });
  await assert.rejects(
    step.fetch("http://127.0.0.1:9/file"),
    /the configuration of download: \/credentials\/0\/password/,
  );
});

test("a server that asks for a certificate is shown the configured one", { skip }, async () => {
  const { server, ca, client, otherCa } = certificates;
  const tls = { cert: server.cert, key: server.key, ca: ca.cert, requestCert: true, rejectUnauthorized: true };
  await using running = await serve((_, response) => void response.end("content"), tls);
  const both = join(directory, "both.pem");
  writeFileSync(both, `${client.cert}${client.key}`);
  const caCert = ca.certFile;
  for (const config of [{ clientCert: client.certFile, clientKey: client.keyFile }, { clientCert: both }]) {
    using step = fetching({ caCert, ...config });
    await step.fetch(`${running.url}/file`);
  }
  using without = fetching({ caCert });
  const failure = await without.refused(`${running.url}/file`);
  assert.equal(failure.code, "DOWNLOAD_TLS_FAILED");
  assert.match(failure.remedy!, /`clientCert`/);
  for (const config of [
    { clientCert: client.certFile },
    { clientCert: client.keyFile },
    { clientKey: otherCa.certFile },
  ]) {
    using step = fetching({ caCert, ...config });
    assert.equal((await step.refused(`${running.url}/file`)).code, "DOWNLOAD_CERTIFICATE_UNREADABLE");
  }
});

/** Forwards what it is asked for, and writes down what that was. */
async function startProxy(refuse: number | undefined = undefined) {
  const asked: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url} ${incoming.headers["proxy-authorization"] ?? ""}`);
    const forwarded = httpRequest(incoming.url!, (response) => response.pipe(outgoing.writeHead(response.statusCode!)));
    forwarded.end();
  });
  proxy.on("connect", (incoming, socket) => {
    asked.push(`CONNECT ${incoming.url} ${incoming.headers["proxy-authorization"] ?? ""}`);
    if (refuse !== undefined) return socket.end(`HTTP/1.1 ${refuse} no\r\n\r\n`);
    const [host, port] = incoming.url!.split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 connected\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  const sockets: Socket[] = [];
  proxy.on("connection", (socket) => sockets.push(socket));
  const listening = await listen(proxy);
  return {
    asked,
    port: listening.port,
    async [Symbol.asyncDispose]() {
      // Tunnels are no connections of HTTP any more.
      for (const socket of sockets) socket.destroy();
      await listening[Symbol.asyncDispose]();
    },
  };
}

function withEnvironment(variables: Record<string, string>): Disposable {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  return {
    [Symbol.dispose]() {
      for (const name of Object.keys(variables)) delete process.env[name];
      Object.assign(process.env, before);
    },
  };
}

test("the proxies of the environment are used, with their passwords, but for NO_PROXY", { skip }, async () => {
  const { server, ca } = certificates;
  await using open = await serveContent();
  await using secure = await serve((_, response) => void response.end("content"), {
    cert: server.cert,
    key: server.key,
  });
  await using proxy = await startProxy();
  const address = `http://me:hidden@127.0.0.1:${proxy.port}`;
  using step = fetching({ caCert: ca.certFile });
  const authorization = `Basic ${Buffer.from("me:hidden").toString("base64")}`;
  {
    using _ = withEnvironment({ HTTP_PROXY: address, HTTPS_PROXY: address });
    await step.fetch(`${open.url}/one`);
    await step.fetch(`${secure.url}/two`);
  }
  {
    using _ = withEnvironment({ HTTP_PROXY: address, HTTPS_PROXY: address, NO_PROXY: "127.0.0.1" });
    await step.fetch(`${open.url}/three`);
    await step.fetch(`${secure.url}/four`);
  }
  assert.deepEqual(step.files(), { one: "content", two: "content", three: "content", four: "content" });
  assert.deepEqual(proxy.asked, [
    `GET ${open.url}/one ${authorization}`,
    `CONNECT 127.0.0.1:${secure.port} ${authorization}`,
  ]);
});

test("a proxy that refuses is named as such, without its password", { skip }, async () => {
  for (const [status, retryable] of [
    [407, false],
    [502, true],
  ] as const) {
    await using proxy = await startProxy(status);
    using _ = withEnvironment({ HTTPS_PROXY: `http://me:hidden@127.0.0.1:${proxy.port}` });
    using step = fetching();
    const failure = await step.refused("https://files.example/file");
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_PROXY_FAILED", retryable]);
    assert.match(failure.message, new RegExp(String(status)));
    assert.doesNotMatch(JSON.stringify([failure, step.context.lines]), /hidden/);
  }
});
