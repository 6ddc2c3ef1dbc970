import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isSecretReference, mask, readSecret, registerSecret, withoutSecrets } from "../host/secrets.ts";

function setEnvironment(t: TestContext, variables: Record<string, string>): void {
  Object.assign(process.env, variables);
  t.after(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
  });
}

function makeCredentials(t: TestContext, files: Record<string, string>): void {
  const directory = mkdtempSync(join(tmpdir(), "gantry-credentials-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  setEnvironment(t, { CREDENTIALS_DIRECTORY: directory });
  t.after(() => rmSync(directory, { recursive: true }));
}

test("a secret is read from GANTRY_SECRET_NAME, then NAME, then the credential of that name", async (t) => {
  makeCredentials(t, { BROKER_PASSWORD: "from the credential\n" });
  assert.equal(await readSecret("BROKER_PASSWORD"), "from the credential");
  setEnvironment(t, { BROKER_PASSWORD: "from the name" });
  assert.equal(await readSecret("BROKER_PASSWORD"), "from the name");
  setEnvironment(t, { GANTRY_SECRET_BROKER_PASSWORD: "from the prefixed name" });
  assert.equal(await readSecret("BROKER_PASSWORD"), "from the prefixed name");
});

test("a missing secret is named, with the remedy", async (t) => {
  makeCredentials(t, { other: "value" });
  await assert.rejects(readSecret("nowhere"), {
    code: "SECRET_MISSING",
    message: /nowhere/,
    remedy: /GANTRY_SECRET_/,
  });
});

test("a name cannot lead out of the credentials folder", async (t) => {
  makeCredentials(t, { inside: "value" });
  await assert.rejects(readSecret("../../../../../../etc/hostname"), { code: "SECRET_MISSING" });
});

test("what was read is masked wherever it appears, also as JSON, base64 and in a URL", async (t) => {
  const value = 'pass"wörd +/ü';
  setEnvironment(t, { GANTRY_SECRET_MASKED: value });
  const message = `before ${value} after`;
  assert.equal(mask(message), message);
  await readSecret("MASKED");
  assert.equal(mask(message), "before *** after");
  assert.equal(mask(JSON.stringify({ value })), '{"value":"***"}');
  assert.equal(mask(`mqtt://u:${encodeURIComponent(value)}@h`), "mqtt://u:***@h");
  assert.equal(mask(`?${new URLSearchParams({ q: value })}`), "?q=***");
  assert.equal(mask(Buffer.from(value).toString("base64")), "***");
});

test("a secret inside other text in base64 is masked whatever stands before it", () => {
  registerSecret("correct horse");
  for (const user of ["u", "us", "use", "user"]) {
    const header = Buffer.from(`${user}:correct horse!`).toString("base64");
    const masked = mask(`Basic ${header}`);
    assert.match(masked, /\*\*\*/);
    const left = masked.slice(6).split("***");
    for (const part of left) assert.doesNotMatch(Buffer.from(part, "base64").toString(), /orrec|hors/);
  }
});

test("a secret that contains another one is hidden as a whole, and a short one is not masked", () => {
  registerSecret("abcd");
  registerSecret("abcd-efgh");
  registerSecret("xyz");
  assert.equal(mask("abcd-efgh abcd xyz"), "*** *** xyz");
});

test("only an object with the one member $secret is a reference", () => {
  assert.ok(isSecretReference({ $secret: "BROKER_PASSWORD" }));
  for (const value of [null, "x", [], {}, { $secret: 1 }, { $secret: "" }, { $secret: "../x" }, { $secret: "A", b: 1 }])
    assert.equal(isSecretReference(value), false);
});

test("expressions see a configuration without its secrets", () => {
  const config = {
    user: "u",
    password: { $secret: "P" },
    tls: { key: { $secret: "K" }, ca: "file" },
    list: [{ $secret: "L" }, 1],
  };
  assert.deepEqual(withoutSecrets(config), { user: "u", tls: { ca: "file" }, list: [1] });
});

test("a secret is masked until everybody who registered it has let it go", () => {
  const releases = [registerSecret("a-passing-secret"), registerSecret("a-passing-secret")];
  assert.equal(mask("so a-passing-secret goes"), "so *** goes");
  releases[0]!();
  releases[0]!();
  assert.equal(mask("so a-passing-secret goes"), "so *** goes");
  releases[1]!();
  assert.equal(mask("so a-passing-secret goes"), "so a-passing-secret goes");
});

test("ten thousand secrets with the same beginning are masked without delay", () => {
  const secrets = Array.from({ length: 10_000 }, (_, n) => `https://host/file?signature=${String(n).padStart(8, "0")}`);
  const releases = secrets.map((secret) => registerSecret(secret));
  const text = `${"some words ".repeat(20)}${secrets[7777]} and ${secrets[1]}.`;
  assert.equal(mask(text), `${"some words ".repeat(20)}*** and ***.`);
  for (const release of releases) release();
  assert.equal(mask(secrets[0]!), secrets[0]);
});
