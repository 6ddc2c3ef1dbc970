import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startTestHost, type TestHost, waitFor } from "gantry/testing";
import { checkOptions } from "../options.ts";
import { type DavServer, type Gate, gateTo, needsRclone, serveDav } from "./dav-server.ts";

const skip = needsRclone;
const password = "correct horse & battery";
const folder = realpathSync(mkdtempSync(join(tmpdir(), "webdav-")));
const served = join(folder, "served");
const path = join(folder, "app.log");
let server: DavServer;
let gate: Gate;
let host: TestHost;

/** What a device writes into its own workflow; the password is one of its secrets. */
const nightly = (url: string, name = "logs/2026/app.log", secret = "DAV_PASSWORD") => ({
  steps: [
    {
      id: "put",
      uses: "webdav/put",
      with: { path, url, name, username: "gateway", password: { $secret: secret } },
    },
  ],
});

before(async () => {
  if (skip) return;
  writeFileSync(path, "all is well\n");
  server = await serveDav(served, "gateway", password);
  gate = await gateTo(server.port);
  const url = `http://127.0.0.1:${gate.port}/device 7`;
  host = await startTestHost({
    plugins: [new URL("..", import.meta.url)],
    workflows: {
      nightly: nightly(url),
      whole: nightly(url, "whole.bin"),
      wrong: nightly(url, "wrong.log", "WRONG"),
      missing: nightly(url, "missing.log", "NOBODY_HAS_SET_THIS"),
    },
    secrets: { DAV_PASSWORD: password, WRONG: "not the password" },
    process: true,
  });
});
after(async () => {
  await host?.[Symbol.asyncDispose]();
  await gate?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(served, "device 7", name);

test("a file is stored under its name, in collections that are made for it, and replaces an earlier one", {
  skip,
}, async () => {
  for (const content of ["all is well\n", "", "all is well again\n"]) {
    writeFileSync(path, content);
    const run = await host.run("nightly");
    assert.equal(run.status, "succeeded", JSON.stringify(run.error));
    assert.deepEqual(run.steps[0]!.output, {
      sizeBytes: content.length,
      url: `http://127.0.0.1:${gate.port}/device%207/logs/2026/app.log`,
    });
    assert.equal(readFileSync(at("logs/2026/app.log"), "utf8"), content);
    assert.deepEqual(readdirSync(at("logs/2026")), ["app.log"]);
  }
});

test("names are kept, whatever is in them", { skip }, async () => {
  for (const name of ["a b+c&d=e?f#g%20'h'.txt", "ä/c:d.txt"]) {
    const url = `http://127.0.0.1:${server.port}/names/`;
    await host.step("webdav/put", { path, url, name, username: "gateway", password });
    assert.ok(existsSync(join(served, "names", name)), name);
  }
});

test("a file is there as a whole or not at all, whenever the power goes", { skip, timeout: 120_000 }, async () => {
  const content = randomBytes(3_000_000);
  writeFileSync(path, content);
  gate.close(1_000_000);
  const run = await host.start("whole");
  await waitFor("the middle of the file", () => gate.isHolding);
  await host.kill();
  assert.ok(!existsSync(at("whole.bin")));
  gate.open();
  await host.resume();
  const ended = await host.ended(run);
  assert.equal(ended.status, "succeeded", JSON.stringify(ended.error));
  assert.ok(readFileSync(at("whole.bin")).equals(content));
  assert.deepEqual(
    readdirSync(at("")).filter((name) => name.includes("whole")),
    ["whole.bin"],
  );
});

test("a wrong password and a missing one fail with a code, and are nowhere to be read", { skip }, async () => {
  const wrong = await host.run("wrong");
  assert.deepEqual([wrong.error?.code, wrong.error?.retryable], ["WEBDAV_DENIED", false]);
  assert.match(wrong.error!.remedy!, /`username` and `password`/);
  assert.equal((await host.run("missing")).error?.code, "SECRET_MISSING");
  const written = readdirSync(host.data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  const everything = [host.logText(), ...written].join("\n");
  for (const secret of [password, "not the password", Buffer.from(`gateway:${password}`).toString("base64")])
    assert.ok(!everything.includes(secret), secret);
});

test("what a server refuses has a code of its own", { skip }, async () => {
  const cases: [string, number, string, boolean][] = [
    ["PROPFIND", 401, "WEBDAV_DENIED", false],
    ["PROPFIND", 302, "WEBDAV_NO_SERVER", false],
    ["PROPFIND", 405, "WEBDAV_NO_SERVER", false],
    ["PUT", 507, "WEBDAV_FULL", false],
    ["PUT", 500, "WEBDAV_SERVER_ERROR", true],
    ["MOVE", 423, "WEBDAV_LOCKED", true],
    ["MOVE", 412, "WEBDAV_REFUSED", false],
  ];
  const asked: string[] = [];
  let refused = "";
  let status = 200;
  const stubborn = createServer((request, response) => {
    asked.push(request.method!);
    request.resume().on("end", () => response.writeHead(request.method === refused ? status : 200).end());
  }).listen(0, "127.0.0.1");
  await once(stubborn, "listening");
  const url = `http://127.0.0.1:${(stubborn.address() as AddressInfo).port}/`;
  try {
    for (const [method, given, code, retryable] of cases) {
      [refused, status] = [method, given];
      asked.length = 0;
      const put = host.step("webdav/put", { path, url, name: "a" });
      await assert.rejects(put, { code, retryable }, `${method} ${given}`);
      // What was written under the other name does not stay.
      assert.equal(asked.at(-1), method === "PROPFIND" ? "PROPFIND" : "DELETE");
    }
  } finally {
    stubborn.closeAllConnections();
    stubborn.close();
  }
});

test("no name leads out of the collection, and no password stands in an address", { skip }, async () => {
  const url = `http://127.0.0.1:${server.port}/`;
  for (const name of ["../a", "a/../../b", "/a", "a//b", "."])
    await assert.rejects(host.step("webdav/put", { path, url, name }), { code: "WEBDAV_OPTION_INVALID" }, name);
  for (const address of ["http://gateway:secret@127.0.0.1/", "ftp://127.0.0.1/", "dav"])
    await assert.rejects(host.step("webdav/put", { path, url: address, name: "a" }), { code: "WEBDAV_OPTION_INVALID" });
});

test("it says what it would do, and to a hub what its command lacks", { skip }, async () => {
  const input = { path, url: "https://dav.example/logs?x", name: "a/app.log" };
  assert.equal(await host.plan("webdav/put", input), `stores ${path} as a/app.log on dav.example`);
  await checkOptions({ options: { "webdav.url": input.url } });
  await assert.rejects(checkOptions({ options: {} }), {
    code: "WEBDAV_OPTION_INVALID",
    message: "required parameter 'webdav.url' missing or empty",
  });
});
