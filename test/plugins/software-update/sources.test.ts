// Where artifacts come from: servers with certificates of their own, files of this device, encrypted ones.

import assert from "node:assert/strict";
import { createCipheriv, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { needs } from "../../support/parts.ts";
import { endOfTar, tarOf } from "../archive/tar-bytes.ts";
import { serve, type TestServer } from "../download/server.ts";
import { Backend } from "./backend.ts";

const plain = { "artifact-type": "plain" };
const failed = (name: string) => [
  `${name} !FINISHED_ERROR fail to download module`,
  `${name} FINISHED_ERROR fail to download module`,
];

describe("artifacts", { skip: needs("openssl"), timeout: 300_000 }, () => {
  let folder: string;
  let certificates: Certificates;
  let secure: TestServer;
  let other: TestServer;
  let backend: Backend;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "gantry-artifacts-"));
    for (const name of ["dir/below", "outside"]) mkdirSync(join(folder, name), { recursive: true });
    certificates = await makeCertificates(folder);
    const { server, otherName } = certificates;
    const answer = (_: unknown, response: { end(text: string): void }) => response.end("true");
    secure = await serve(answer, { cert: server.cert, key: server.key });
    other = await serve(answer, { cert: otherName.cert, key: otherName.key });
    const settings = {
      installDirs: [join(folder, "dir")],
      serverCert: certificates.ca.certFile,
      downloadRetryCount: 1,
      downloadRetryInterval: "100ms",
    };
    backend = await Backend.start({ settings });
  });
  after(async () => {
    await backend?.[Symbol.asyncDispose]();
    for (const server of [secure, other]) await server?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const at = (...names: string[]) => join(folder, ...names);
  const install = { filename: "install.sh", content: "true" };
  const lines = (id: string, name: string) => backend.sequence(id).filter((line) => line.startsWith(`${name} `));

  test("come by HTTPS from a server that serverCert vouches for, and from no other", async () => {
    const from = (server: TestServer) => [{ ...install, url: `${server.url}/install.sh`, protocol: "HTTPS" }];
    await backend.install(
      "s1",
      backend.module("own", from(secure), plain),
      backend.module("other", from(other), plain),
    );
    await backend.finished("s1", 2);
    assert.equal(lines("s1", "own").at(-1), "own FINISHED_SUCCESS");
    assert.deepEqual(lines("s1", "other").slice(-2), failed("other"));
  });

  test("come by HTTPS before HTTP before FILE, and by no other way when that one fails", async () => {
    const given = backend.module("ways", [{ ...install, url: `${secure.url}/x`, protocol: "HTTPS" }], plain) as {
      artifacts: [{ download: Record<string, object> }];
    };
    const [artifact] = given.artifacts;
    const nowhere = { url: `${backend.server.url}/no-such-file` };
    artifact.download = { FILE: { url: at("nothing") }, HTTP: nowhere, HTTPS: artifact.download.HTTPS! };
    await backend.install("s2", given as never);
    assert.equal((await backend.finished("s2")).at(-1), "ways FINISHED_SUCCESS");
    artifact.download = {
      HTTP: { url: `${backend.server.url}/own` },
      HTTPS: { url: `${secure.url}/x`.replace("https", "http") },
    };
    await backend.install("s3", given as never);
    assert.deepEqual((await backend.finished("s3")).slice(-2), failed("ways"));
  });

  test("are fetched again as often as downloadRetryCount says", async () => {
    let asked = 0;
    await using shaky = await serve((_, response) => {
      asked += 1;
      response.writeHead(asked === 1 || asked > 2 ? 503 : 200).end("true");
    });
    const module = (name: string) => backend.module(name, [{ ...install, url: `${shaky.url}/x` }], plain);
    await backend.install("s4", module("shaky"));
    assert.equal((await backend.finished("s4")).at(-1), "shaky FINISHED_SUCCESS");
    await backend.install("s5", module("broken"));
    assert.deepEqual((await backend.finished("s5")).slice(-2), failed("broken"));
    assert.equal(asked, 4);
  });

  test("of this device are taken from a folder of installDirs only, wherever a link leads", async () => {
    for (const name of ["dir/install.sh", "dir/below/install.sh", "outside/install.sh"])
      writeFileSync(at(name), "true");
    symlinkSync(at("outside/install.sh"), at("dir/link.sh"));
    const copied = { ...plain, "copy-artifacts": "install.sh,other" };
    const from = (url: string) => [{ ...install, url, protocol: "FILE" }];
    const cases: Record<string, [url: string, isTaken: boolean]> = {
      direct: [at("dir/install.sh"), true],
      named: ["install.sh", true],
      url: [pathToFileURL(at("dir/install.sh")).href, true],
      below: [at("dir/below/install.sh"), false],
      outside: [at("outside/install.sh"), false],
      climbing: ["../outside/install.sh", false],
      link: [at("dir/link.sh"), false],
      missing: [at("dir/nothing"), false],
      folder: [at("dir/below"), false],
    };
    const modules = Object.entries(cases).map(([name, [url]]) => backend.module(name, from(url), copied));
    await backend.install("f1", ...modules);
    await backend.finished("f1", modules.length);
    for (const [name, [, isTaken]] of Object.entries(cases))
      assert.deepEqual(
        lines("f1", name).slice(isTaken ? -1 : -2),
        isTaken ? [`${name} FINISHED_SUCCESS`] : failed(name),
      );
  });

  test("of this device that are not copied are verified and used where they are", async () => {
    const script = 'pwd -P > where; printf "message=in place\\n" > status; test ! -e ./data; mkdir -p installed-deps';
    writeFileSync(at("dir/install.sh"), script);
    const artifact = { filename: "install.sh", content: script, url: at("dir/install.sh"), protocol: "FILE" };
    const tampered = { ...artifact, content: "true" };
    await backend.install("f2", backend.module("in", [artifact], plain), backend.module("tampered", [tampered], plain));
    await backend.finished("f2", 2);
    assert.deepEqual(lines("f2", "in"), [
      "in STARTED",
      "in DOWNLOADING 0",
      "in DOWNLOADING 100",
      "in DOWNLOADED 100",
      "in INSTALLING 0",
      "in INSTALLING 0 in place",
      "in INSTALLED 100 in place",
      "in FINISHED_SUCCESS in place",
    ]);
    assert.equal(readFileSync(at("dir/where"), "utf8").trim(), at("dir"));
    assert.deepEqual(lines("f2", "tampered").slice(-2), failed("tampered"));
  });

  test("that are encrypted are decrypted, in hexadecimal or base64, and unpacked without what fills them up", async () => {
    const archive = gzipSync(Buffer.concat([tarOf({ name: "install.sh", content: "test -s install.sh" }), endOfTar]));
    const clear = "printf 'message=clear\\n' > status # 0123456";
    const sealed = (content: string | Buffer, format: "hex" | "base64", isPadded = true) => {
      const [key, iv] = [randomBytes(32), randomBytes(16)];
      const cipher = createCipheriv("aes-256-cbc", key, iv).setAutoPadding(isPadded);
      const text = Buffer.concat([cipher.update(content), cipher.final()]).toString(format);
      const metaData = {
        "AES256.key": key.toString(format),
        "AES256.iv": iv.toString(format),
        "AES256.format": format,
      };
      return { content: `${format === "hex" ? text : text.replace(/.{64}/g, "$&\n")}\n`, metaData };
    };
    const hex = sealed(clear, "hex");
    const unpadded = sealed(clear.padEnd(48), "base64", false);
    const packed = sealed(archive, "base64");
    const wrongKey = { ...hex.metaData, "AES256.key": "00" };
    const { "AES256.iv": _, ...noVector } = hex.metaData;
    const module = (name: string, filename: string, content: string, metaData: Record<string, string>) =>
      backend.module(name, [{ filename, content }], metaData);
    await backend.install(
      "a1",
      module("hex", "install.sh", hex.content, { ...plain, ...hex.metaData }),
      module("unpadded", "install.sh", unpadded.content, { ...plain, ...unpadded.metaData }),
      module("packed", "a.tar.gz", packed.content, packed.metaData),
      module("wrong-key", "install.sh", hex.content, { ...plain, ...wrongKey }),
      module("no-vector", "install.sh", hex.content, { ...plain, ...noVector }),
      module("no-text", "install.sh", "not hexadecimal", { ...plain, ...hex.metaData }),
    );
    await backend.finished("a1", 6);
    assert.equal(lines("a1", "hex").at(-1), "hex FINISHED_SUCCESS clear");
    assert.equal(lines("a1", "unpadded").at(-1), "unpadded FINISHED_SUCCESS clear");
    assert.equal(lines("a1", "packed").at(-1), "packed FINISHED_SUCCESS");
    for (const name of ["wrong-key", "no-vector", "no-text"])
      assert.deepEqual(lines("a1", name).slice(-2), failed(name));
    for (const code of ["SOFTWARE_UPDATE_KEY_INVALID", "SOFTWARE_UPDATE_CIPHER_INVALID"])
      assert.ok(backend.device.said(code), code);
  });
});
