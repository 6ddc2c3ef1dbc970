// Keys, passwords and credentials that come with commands are nowhere but where they are used: every byte of the data
// folder, the log and the wire is searched for them, during and after.

import assert from "node:assert/strict";
import { createCipheriv, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { sha256 } from "../../support/artifact-server.ts";
import { serve, type TestServer } from "../download/server.ts";
import { envelopeText } from "../things/device.ts";
import { Backend } from "./backend.ts";

/** Each spelling of a secret that would give it away. */
function spellings(secret: string | Buffer): Buffer[] {
  const bytes = Buffer.from(secret);
  const text = bytes.toString("latin1");
  const base64 = [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return whole.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  const hex = bytes.toString("hex");
  return [bytes, encodeURIComponent(text), JSON.stringify(text).slice(1, -1), hex, hex.toUpperCase(), ...base64]
    .concat(base64.map((core) => core.replaceAll("+", "-").replaceAll("/", "_")))
    .map((form) => Buffer.from(form));
}

describe("secrets of a command", { timeout: 300_000 }, () => {
  let backend: Backend;
  let server: TestServer;
  const opened = { half: false };
  const seen: string[] = [];

  const key = randomBytes(32);
  const iv = randomBytes(16);
  const password = `pa ss/${randomBytes(9).toString("base64")}`;
  const signature = randomBytes(20).toString("base64");
  const secrets: Record<string, string | Buffer> = { key, iv, password, signature, "key in hex": key.toString("hex") };

  const cipher = createCipheriv("aes-256-cbc", key, iv);
  const clear = "while ! [ -e ../../../../../../go ]; do sleep 0.02; done";
  const content = Buffer.concat([cipher.update(clear.padEnd(4000)), cipher.final()]).toString("base64");

  before(async () => {
    server = await serve(answer);
    backend = await Backend.start({ embedded: true });
  });
  after(async () => {
    await backend?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  function answer({ url = "", headers }: IncomingMessage, response: ServerResponse): void {
    seen.push(`${headers.authorization} ${url}`);
    if (url.startsWith("/missing")) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": content.length });
    if (opened.half) response.end(content);
    else response.write(content.slice(0, 2000));
  }

  const urlOf = (name: string) =>
    `${server.url.replace("//", `//agent:${encodeURIComponent(password)}@`)}/${name}?sig=${encodeURIComponent(signature)}`;
  const module = (name: string, file: string, more: Record<string, string> = {}) => ({
    softwareModule: { name, version: "1.0" },
    artifacts: [
      {
        filename: "install.sh",
        size: content.length,
        checksums: { SHA256: sha256(content) },
        download: { HTTP: { url: urlOf(file), md5url: urlOf("md5") } },
      },
    ],
    metaData: {
      "artifact-type": "plain",
      "AES256.key": key.toString("base64"),
      "AES256.iv": iv.toString("base64"),
      ...more,
    },
  });

  /** What the host has written, said and sent. */
  function searchAll(when: string): void {
    const { data } = backend.device;
    const kept = join(data, "secrets");
    for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !existsSync(file)) continue;
      // Their own place, for the owner only; gone with the run.
      if (entry.parentPath === kept) assert.equal(statSync(file).mode & 0o777, 0o600);
      else search(readFileSync(file), `${file} ${when}`);
    }
    search(Buffer.from(backend.device.host.log), `the log ${when}`);
    const sent = backend.device.heard.filter(({ topic }) => !/^(?:command|c)\/.*\/(?:req|q)\//.test(topic));
    search(Buffer.from(sent.map(({ topic, text }) => `${topic} ${text}`).join("\n")), `the wire ${when}`);
  }

  function search(content: Buffer, where: string): void {
    for (const [name, secret] of Object.entries(secrets))
      for (const spelling of spellings(secret)) assert.ok(!content.includes(spelling), `the ${name} is in ${where}`);
  }

  const secretFiles = () => {
    const folder = join(backend.device.data, "secrets");
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  test("are found by the search where they are", () => {
    for (const secret of Object.values(secrets))
      assert.throws(() => search(Buffer.concat([Buffer.from("x"), Buffer.from(secret)]), "a text"), /is in a text/);
    const inBase64 = Buffer.from(`agent:${password}`).toString("base64");
    assert.throws(() => search(Buffer.from(inBase64), "a header"), /password/);
  });

  test("are used, and are nowhere else: during the download, after a crash, while the script runs, and afterwards", async () => {
    await backend.order("install", "secret", { softwareModules: [module("m", "half"), module("n", "missing")] });
    await waitFor("half of the download", () =>
      backend.statuses("secret").some(({ value }) => (value.progress ?? 0) > 0),
    );
    searchAll("during the download");
    assert.equal(secretFiles().length, 1);
    await backend.device.host.kill();
    searchAll("after a crash");
    opened.half = true;
    await backend.device.startHost();
    await waitFor("the script", () => backend.sequence("secret").includes("m INSTALLING 0"));
    searchAll("while the script runs");
    writeFileSync(join(backend.device.directory, "go"), "");
    const sequence = await backend.finished("secret", 2);
    assert.ok(sequence.includes("m FINISHED_SUCCESS"), sequence.join());
    assert.equal(sequence.at(-1), "n FINISHED_ERROR fail to download module");
    await waitFor("the end of the secrets", () => secretFiles().length === 0);
    searchAll("afterwards");
    const authorization = `Basic ${Buffer.from(`agent:${password}`).toString("base64")}`;
    assert.ok(
      seen.some((request) => request === `${authorization} /half?sig=${encodeURIComponent(signature)}`),
      seen.join(),
    );
  });

  test("are not given away by what goes wrong: wrong keys, refused commands, downloads that wait and are canceled", async () => {
    const wrong = module("w", "half", { "AES256.key": `${key.toString("base64")}AAAA` });
    const noVector = module("v", "half", { "AES256.iv": "" });
    await backend.order("download", "wrong", { softwareModules: [wrong, noVector] });
    await backend.finished("wrong", 2);
    const refused = { softwareModules: [module("r", "half"), null] };
    await backend.order("install", "refused", refused);
    await backend.device.texts("command///res/r-refused/400", 1);
    const broken = envelopeText("install", refused, { feature: "SoftwareUpdatable", requestId: "broken" }).slice(
      0,
      -20,
    );
    await backend.device.send("command///req/broken/install", broken);
    await backend.device.texts("command///res/broken/400", 1);
    const incomplete = { ...module("i", "half"), artifacts: [{ download: { HTTP: { url: urlOf("half") } } }] };
    await backend.order("install", "incomplete", { softwareModules: [incomplete] });
    await backend.finished("incomplete");
    opened.half = false;
    await backend.order("download", "first", { softwareModules: [module("f", "stays")] });
    await waitFor("the request", () => seen.some((request) => request.includes("/stays")));
    await backend.order("download", "second", { softwareModules: [module("s", "half")] });
    await backend.device.texts("command///res/r-second/204", 1);
    searchAll("while one waits");
    for (const id of ["second", "first"]) await backend.order("cancel", `${id}`, {});
    await backend.finished("first");
    await backend.finished("second");
    await waitFor("the end of the secrets", () => secretFiles().length === 0);
    searchAll("after what went wrong");
    await backend.device.host.stop();
    searchAll("after the stop");
  });
});
