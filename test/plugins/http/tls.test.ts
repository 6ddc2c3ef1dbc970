import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Certificate, type Certificates, makeCertificates } from "../../support/certificates.ts";
import { listen } from "../../support/listen.ts";
import { needs } from "../../support/parts.ts";
import { asking, serve } from "./asking.ts";

const skip = needs("openssl");
const directory = mkdtempSync(join(tmpdir(), "gantry-http-tls-"));
let certificates: Certificates;
before(async () => {
  if (!skip) certificates = await makeCertificates(directory);
});
after(() => rmSync(directory, { recursive: true }));

const serveSecurely = ({ cert, key }: Certificate, more = {}) =>
  serve((_, response) => void response.end("content"), { cert, key, ...more });

test("a server with a certificate of the configured authority is trusted; the step's own goes before", {
  skip,
}, async () => {
  await using server = await serveSecurely(certificates.server);
  using step = asking({ caCert: certificates.ca.certFile });
  assert.equal((await step.ask(server.url)).body, "content");
  assert.equal((await step.ask(`https://localhost:${server.port}/`)).body, "content");
  using other = asking({ caCert: certificates.otherCa.certFile });
  assert.equal(await other.refused(server.url), "HTTP_TLS_UNTRUSTED");
  await other.ask(server.url, { caCert: certificates.ca.certFile });
});

test("certificates that are not to be trusted are told apart, and nothing is sent", { skip }, async () => {
  const { server, otherName, expired, ca } = certificates;
  const cases: [Certificate, string | undefined, string][] = [
    [server, undefined, "HTTP_TLS_UNTRUSTED"],
    [otherName, ca.certFile, "HTTP_TLS_WRONG_NAME"],
    [expired, ca.certFile, "HTTP_TLS_EXPIRED"],
    [ca, ca.certFile, "HTTP_TLS_FAILED"],
  ];
  for (const [certificate, caCert, code] of cases) {
    await using running = await serveSecurely(certificate);
    using step = asking(caCert === undefined ? {} : { caCert });
    const failure = await step.failure(running.url);
    assert.deepEqual([failure.code, failure.retryable], [code, false]);
    assert.equal(running.seen.length, 0);
  }
});

test("TLS below 1.2 and no TLS at all come to no connection", { skip }, async () => {
  using step = asking({ caCert: certificates.ca.certFile });
  const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" };
  await using server = await serveSecurely(certificates.server, old);
  assert.equal(await step.refused(server.url), "HTTP_TLS_FAILED");
  await using plain = await listen(
    createServer(
      (socket) =>
        void socket
          .on("error", () => {})
          .resume()
          .end("HTTP/1.1 200 OK\r\n\r\n"),
    ),
  );
  assert.equal(await step.refused(`https://127.0.0.1:${plain.port}/`), "HTTP_TLS_FAILED");
});

test("a certificate of the device is shown to a server that asks for one", { skip }, async () => {
  const { ca, client, server: own } = certificates;
  await using server = await serveSecurely(own, { requestCert: true, rejectUnauthorized: true, ca: ca.cert });
  using without = asking({ caCert: ca.certFile });
  assert.match(await without.refused(server.url), /^HTTP_(TLS_FAILED|UNREACHABLE)$/);
  using step = asking({ caCert: ca.certFile, clientCert: client.certFile, clientKey: client.keyFile });
  assert.equal((await step.ask(server.url)).body, "content");
});

test("a redirect from HTTPS to HTTP is refused", { skip }, async () => {
  await using plain = await serve((_, response) => void response.end("in the open"));
  const { cert, key } = certificates.server;
  await using server = await serve((_, response) => void response.writeHead(302, { location: plain.url }).end(), {
    cert,
    key,
  });
  using step = asking({ caCert: certificates.ca.certFile });
  assert.equal(await step.refused(server.url), "HTTP_REDIRECT_REFUSED");
  assert.equal(plain.seen.length, 0);
});

test("files without a certificate or key are told of by name", { skip }, async () => {
  const empty = join(directory, "empty.pem");
  writeFileSync(empty, "");
  const cut = join(directory, "cut.pem");
  writeFileSync(cut, certificates.ca.cert.slice(0, 200));
  const configs = [
    { caCert: empty },
    { caCert: cut },
    { caCert: join(directory, "missing") },
    { clientCert: certificates.ca.certFile },
  ];
  for (const config of configs) {
    using step = asking(config);
    const failure = await step.failure("https://127.0.0.1:1/");
    assert.equal(failure.code, "HTTP_CERTIFICATE_UNREADABLE");
    assert.ok(failure.message.includes(Object.values(config)[0]!));
  }
});
