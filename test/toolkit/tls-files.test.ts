import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readTlsFiles } from "gantry/toolkit/tls-files";

const folder = mkdtempSync(join(tmpdir(), "gantry-tls-files-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const unreadable = (message: string, cause?: unknown) => new RangeError(message, { cause });

test("nothing is asked of the system where no file is named", () => {
  assert.deepEqual(readTlsFiles({}, unreadable), {});
  assert.deepEqual(readTlsFiles({ caCert: null, clientCert: null, clientKey: null }, unreadable), {});
  assert.deepEqual(readTlsFiles({ caCert: "", clientCert: "", clientKey: "" }, unreadable), {});
});

test("a key is given as it stands in its file", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  assert.deepEqual(readTlsFiles({ clientKey: file("key.pem", pem) }, unreadable), { key: pem });
});

test("what is missing, empty, broken or something else is refused by its name, with the error of who asks", () => {
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (const [files, why] of [
    [{ caCert: join(folder, "missing") }, /missing: ENOENT/],
    [{ caCert: file("empty", "") }, /empty: it holds no certificate/],
    [{ caCert: file("broken", broken) }, /broken: /],
    [{ clientCert: folder }, /EISDIR/],
    [{ clientKey: file("no-key", broken) }, /no-key: it holds no private key/],
  ] as const)
    assert.throws(() => readTlsFiles(files, unreadable), { name: "RangeError", message: why });
});
