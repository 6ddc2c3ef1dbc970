import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Certificate, type Certificates, makeCertificates } from "../../support/certificates.ts";
import { needs } from "../../support/parts.ts";
import { fetching, serve } from "./server.ts";

const skip = needs("openssl");
const directory = mkdtempSync(join(tmpdir(), "gantry-tls-"));
let certificates: Certificates;
before(async () => {
  if (!skip) certificates = await makeCertificates(directory);
});
after(() => rmSync(directory, { recursive: true }));

const serveSecurely = ({ cert, key }: Certificate, more = {}) =>
  serve((_, response) => void response.end("content"), { cert, key, ...more });

test("a server with a certificate of the configured authority is trusted, by name and by number", {
  skip,
}, async () => {
  await using server = await serveSecurely(certificates.server);
  using step = fetching({ caCert: certificates.ca.certFile });
  await step.fetch(`${server.url}/by-number`);
  await step.fetch(`https://localhost:${server.port}/by-name`);
  assert.deepEqual(step.files(), { "by-name": "content", "by-number": "content" });
});

test("the step's own authority goes before the configured one", { skip }, async () => {
  await using server = await serveSecurely(certificates.server);
  using step = fetching({ caCert: certificates.otherCa.certFile });
  assert.equal((await step.refused(`${server.url}/file`)).code, "DOWNLOAD_TLS_UNTRUSTED");
  await step.fetch(`${server.url}/file`, { caCert: certificates.ca.certFile });
});

test("a wrong authority, a wrong name, an end in the past and no authority at all are not trusted", {
  skip,
}, async () => {
  const { server, otherName, expired, ca, otherCa } = certificates;
  const untrusted = "DOWNLOAD_TLS_UNTRUSTED";
  const cases: [Certificate, string | undefined, code: string, reason: RegExp, remedy: RegExp][] = [
    [server, otherCa.certFile, untrusted, /UNABLE_TO|SELF_SIGNED/, /`caCert`/],
    [server, undefined, untrusted, /UNABLE_TO|SELF_SIGNED/, /`caCert`/],
    [otherName, ca.certFile, "DOWNLOAD_TLS_WRONG_NAME", /ERR_TLS_CERT_ALTNAME_INVALID/, /`url`/],
    [expired, ca.certFile, "DOWNLOAD_TLS_EXPIRED", /CERT_HAS_EXPIRED/, /`date`/],
    [ca, ca.certFile, "DOWNLOAD_TLS_FAILED", /INVALID_PURPOSE/, /TLS 1\.2/],
  ];
  for (const [certificate, caCert, code, reason, remedy] of cases) {
    await using running = await serveSecurely(certificate);
    using step = fetching(caCert === undefined ? {} : { caCert });
    const failure = await step.refused(`${running.url}/file`);
    assert.deepEqual([failure.code, failure.retryable], [code, false]);
    assert.match(failure.message, reason);
    assert.match(failure.remedy!, remedy);
    assert.equal(running.requests.length, 0);
  }
});

test("TLS below 1.2, a demand for a client's certificate, and no TLS at all come to no connection", {
  skip,
}, async () => {
  const { server, ca } = certificates;
  using step = fetching({ caCert: ca.certFile });
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
  await using outdated = await serveSecurely(server, old);
  await using demanding = await serveSecurely(server, { requestCert: true, rejectUnauthorized: true, ca: ca.cert });
  await using plain = await serve((_, response) => void response.end());
  for (const url of [outdated.url, demanding.url, plain.url.replace("http:", "https:")]) {
    const failure = await step.refused(`${url}/file`);
    assert.equal(failure.code, "DOWNLOAD_TLS_FAILED", failure.message);
  }
});

test("no redirect leads from HTTPS to HTTP", { skip }, async () => {
  await using open = await serve((_, response) => void response.end("content"));
  const { cert, key } = certificates.server;
  await using server = await serve((_, response) => void response.writeHead(302, { location: `${open.url}/x` }).end(), {
    cert,
    key,
  });
  using step = fetching({ caCert: certificates.ca.certFile });
  const failure = await step.refused(`${server.url}/file`);
  assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_REDIRECT_REFUSED", false]);
  assert.match(failure.message, /from HTTPS to HTTP/);
  assert.equal(open.requests.length, 0);
});

test("a file with authorities that is missing, a folder, empty or broken is named in the failure", async () => {
  using step = fetching();
  const empty = join(directory, "empty.pem");
  writeFileSync(empty, "");
  const broken = join(directory, "broken.pem");
  writeFileSync(broken, "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n");
  for (const caCert of [join(directory, "missing.pem"), directory, empty, broken]) {
    const failure = await step.refused("https://127.0.0.1:9/file", { caCert });
    assert.deepEqual([failure.code, failure.retryable], ["DOWNLOAD_CERTIFICATE_UNREADABLE", false], failure.message);
    assert.ok(failure.message.includes(caCert));
  }
});
