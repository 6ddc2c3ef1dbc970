// Each thing that can be missing is taken away once.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { createServer as createSecureServer } from "node:tls";
import { checkBroker, checkPort } from "../../host/doctor/broker.ts";
import { checkOwner, checkPrivate, checkSoundness, checkSpace, checkWritable } from "../../host/doctor/data-folder.ts";
import { checkDocuments } from "../../host/doctor/documents.ts";
import type { Finding } from "../../host/doctor/finding.ts";
import { checkHolder } from "../../host/doctor/holder.ts";
import {
  checkClock,
  checkFileLimit,
  checkMemory,
  checkNode,
  checkPlatform,
  checkTimeZone,
} from "../../host/doctor/machine.ts";
import { checkPlugins } from "../../host/doctor/plugins.ts";
import { checkSecrets, environmentOf } from "../../host/doctor/secrets.ts";
import { startHost } from "../../host/host.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import { openStore } from "../../host/store/open.ts";
import { SCHEMA_VERSION } from "../../host/store/schema.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { gantry } from "../commands/gantry.ts";
import { makeCertificates } from "../support/certificates.ts";
import { listen } from "../support/listen.ts";
import { needs } from "../support/parts.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "gantry-doctor-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function assertTold(finding: Finding, state: Finding["state"], message: RegExp): void {
  assert.equal(finding.state, state, finding.message);
  assert.match(finding.message, message);
  if (state === "good") assert.equal(finding.remedy, undefined);
  else assert.match(finding.remedy ?? "", /^[A-Z].*\.$/, "no remedy");
}

test("an old Node", () => {
  assertTold(checkNode("20.19.2"), "missing", /20\.19\.2 is too old/);
  assertTold(checkNode(process.versions.node), "good", /^version 2/);
});

test("a machine that npm has no Node for", () => {
  assertTold(checkPlatform("linux", "riscv64"), "warning", /riscv64/);
  assertTold(checkPlatform("darwin", "arm64"), "warning", /darwin/);
  assertTold(checkPlatform("linux", "arm64"), "good", /arm64/);
});

test("too little memory", () => {
  assertTold(checkMemory(64 * 1024 * 1024), "warning", /only 64 MiB/);
  assertTold(checkMemory(1024 * 1024 * 1024), "good", /1024 MiB/);
});

test("a clock that stands in the past", () => {
  assertTold(checkClock(0), "missing", /1970-01-01/);
  assertTold(checkClock(Date.now()), "good", /^20/);
});

test("a time zone nobody knows", () => {
  assertTold(checkTimeZone("UTC", "Middle/Earth"), "warning", /Middle\/Earth/);
  assertTold(checkTimeZone("Europe/Berlin", "Europe/Berlin"), "good", /Berlin/);
  assertTold(checkTimeZone("UTC", "Etc/UTC"), "good", /UTC/);
  assertTold(checkTimeZone("UTC", undefined), "good", /UTC/);
});

test("too few open files", () => {
  assertTold(
    checkFileLimit("Limit  Soft\nMax open files            256                  4096  files\n"),
    "warning",
    /256/,
  );
  assertTold(checkFileLimit("Max open files            unlimited            unlimited  files\n"), "good", /unlimited/);
});

test("a data folder that is a file, or whose place cannot be written", (t) => {
  const root = folder(t);
  const file = join(root, "file");
  writeFileSync(file, "");
  assertTold(checkWritable(file), "missing", /no folder/);
  assertTold(checkWritable("/proc/self/gantry"), "missing", /proc/);
  assertTold(checkWritable(join(root, "new", "data")), "good", /will be made/);
});

test("a data folder that others can look into", (t) => {
  const data = join(folder(t), "data");
  assertTold(checkPrivate(data), "good", /nothing/);
  mkdirSync(data);
  chmodSync(data, 0o755);
  assertTold(checkPrivate(data), "warning", /755/);
  chmodSync(data, 0o700);
  assertTold(checkPrivate(data), "good", /owner/);
  writeFileSync(join(data, "gantry.db"), "", { mode: 0o644 });
  assertTold(checkPrivate(data), "warning", /gantry\.db \(mode 644\)/);
});

test("a data folder in which a file is somebody else's", {
  skip: process.getuid?.() === 0 ? false : "needs root",
}, (t) => {
  const data = join(folder(t), "data");
  assertTold(checkOwner(data), "good", /nothing/);
  mkdirSync(data);
  writeFileSync(join(data, "gantry.db"), "");
  assertTold(checkOwner(data), "good", /user 0 has/);
  chownSync(join(data, "gantry.db"), 65534, 65534);
  assertTold(checkOwner(data), "missing", /not gantry\.db/);
});

test("a disk that is nearly full", (t) => {
  const data = join(folder(t), "data");
  assertTold(checkSpace(data, Number.MAX_SAFE_INTEGER), "missing", /only \d+ MiB/);
  assertTold(checkSpace(data, 1), "good", /MiB/);
});

test("a database that is damaged", async (t) => {
  const data = join(folder(t), "data");
  assertTold(checkSoundness(data), "good", /nothing/);
  await (await openStore(data)).close();
  assertTold(checkSoundness(data), "good", /sound/);
  writeFileSync(join(data, "gantry.db"), "this is no database, and long enough to be looked at as one ".repeat(100));
  assertTold(checkSoundness(data), "missing", /not a database|damaged/);
});

test("a database that a newer Gantry has written", async (t) => {
  const data = join(folder(t), "data");
  await (await openStore(data)).close();
  const database = new DatabaseSync(join(data, "gantry.db"));
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  database.close();
  assertTold(checkSoundness(data), "missing", /newer/);
});

test("a data folder that somebody holds who does not answer", async (t) => {
  const data = join(folder(t), "data");
  assertTold((await checkHolder(data)).finding, "good", /none/);
  const store = await openStore(data);
  assertTold((await checkHolder(data)).finding, "missing", new RegExp(`held by process ${process.pid} \\(`));
  await store.close();
  assertTold((await checkHolder(data)).finding, "good", /none/);
});

test("a plugin of the running host whose real part is missing", async (t) => {
  const root = folder(t);
  mkdirSync(join(root, "lamp"));
  const write = (name: string, text: string) => writeFileSync(join(root, name), text);
  write("lamp/package.json", '{ "type": "module" }');
  write("lamp/plugin.json", '{ "name": "lamp", "version": "1.0.0", "host": "^1.0.0", "main": "index.js" }');
  const unavailable = 'throw new PluginUnavailable("no lamp is plugged in", "Plug one in.")';
  write("lamp/index.js", `import { PluginUnavailable } from "gantry"; export default { setup() { ${unavailable}; } };`);
  write("plugins.json", '{ "plugins": [{ "plugin": "./lamp", "isolation": "in-process" }] }');
  const dataDirectory = join(root, "data");
  const documents = readHost(join(root, "plugins.json"));
  const host = await startHost({ documents, dataDirectory, log: createLog({ level: "silent" }) });
  try {
    const { finding, host: running } = await checkHolder(dataDirectory);
    assertTold(finding, "good", /runs as process/);
    const [told, ...others] = checkPlugins(running!.plugins);
    assertTold(told!, "missing", /^unavailable: no lamp is plugged in/);
    assert.deepEqual([told!.remedy, others], ["Plug one in.", []]);
    assertTold(checkPlugins(running!.plugins.filter(({ name }) => name !== "lamp"))[0]!, "good", /all 1/);
  } finally {
    await host.stop();
  }
});

test("documents with faults", (t) => {
  const root = folder(t);
  const config = join(root, "plugins.json");
  assertTold(checkDocuments(readHost(config)), "missing", /no such file/);
  writeFileSync(config, JSON.stringify({ plugins: [{ plugin: "no-such" }] }));
  assertTold(checkDocuments(readHost(config)), "missing", /1 fault; the first: .*plugins\.json:1:/);
  writeFileSync(config, JSON.stringify({ plugins: [] }));
  assertTold(checkDocuments(readHost(config)), "good", /0 active workflows/);
});

test("a secret that nobody has set", async (t) => {
  const root = folder(t);
  const config = join(root, "plugins.json");
  const password = { $secret: "DOCTOR" };
  writeFileSync(
    config,
    JSON.stringify({ plugins: [{ plugin: "mqtt", config: { port: 0, username: "u", password } }] }),
  );
  const documents = readHost(config);
  const check = (environment: Record<string, string>, ofHost = true) =>
    checkSecrets(documents, environment, ofHost)[0]!;
  assertTold(check({}), "missing", /the running host has no DOCTOR/);
  assertTold(check({}, false), "warning", /DOCTOR is not in this environment/);
  assertTold(check({ DOCTOR: "" }), "missing", /DOCTOR/);
  assertTold(check({ DOCTOR: "set" }), "good", /environment/);
  assertTold(check({ GANTRY_SECRET_DOCTOR: "set" }), "good", /environment/);
  assertTold(check({ CREDENTIALS_DIRECTORY: root }), "missing", /DOCTOR/);
  writeFileSync(join(root, "DOCTOR"), "set");
  assertTold(check({ CREDENTIALS_DIRECTORY: root }), "good", /credentials/);
});

test("a secret that a workflow names", (t) => {
  const root = folder(t);
  mkdirSync(join(root, "workflows"));
  const config = join(root, "plugins.json");
  writeFileSync(config, JSON.stringify({ workflows: ["./workflows"], plugins: [{ plugin: "upload-http" }] }));
  const headers = { authorization: { $secret: "DOCTOR" } };
  const steps = [{ uses: "upload-http/put", with: { path: "/a", url: "https://files.example/", headers } }];
  writeFileSync(join(root, "workflows/w.json"), JSON.stringify({ name: "w", steps }));
  assertTold(checkSecrets(readHost(config), {}, true)[0]!, "missing", /the running host has no DOCTOR/);
});

test("the environment is that of the process that was asked for", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { env: { ONE: "a=b", TWO: "" } });
  await once(child, "spawn");
  const environment = await waitFor("its own environment", () => {
    const found = environmentOf(child.pid!);
    return found?.ONE !== undefined && found;
  });
  assert.deepEqual([environment.ONE, environment.TWO], ["a=b", ""]);
  const ended = once(child, "exit");
  child.stdin.end();
  await ended;
  assert.equal(environmentOf(child.pid!), undefined);
});

test("a broker that is away, and a port that is taken", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assertTold(await checkBroker({ broker: `mqtt://127.0.0.1:${port}` }), "good", /answers/);
  assertTold(await checkPort(port), "missing", /EADDRINUSE|in use/);
  server.close();
  await once(server, "close");
  assertTold(await checkBroker({ broker: `mqtt://127.0.0.1:${port}` }), "missing", /cannot be reached/);
  assertTold(await checkPort(port), "good", /free/);
});

test("a broker whose certificate cannot be trusted, is for another name or has run out", {
  skip: needs("openssl"),
}, async (t) => {
  const { ca, server, otherName, expired } = await makeCertificates(folder(t));
  const askAt = async ({ cert, key }: { cert: string; key: string }, caCert?: string) => {
    await using listening = await listen(createSecureServer({ cert, key }));
    const broker = `mqtts://localhost:${listening.port}`;
    return await checkBroker({ broker, ...(caCert === undefined ? {} : { caCert }) });
  };
  assertTold(await askAt(server, ca.certFile), "good", /trusted/);
  const untrusted = await askAt(server);
  assertTold(untrusted, "missing", /cannot be reached/);
  assert.match(untrusted.remedy!, /`caCert`/);
  assertTold(await askAt(otherName, ca.certFile), "missing", /localhost/);
  const late = await askAt(expired, ca.certFile);
  assertTold(late, "missing", /expired/);
  assert.match(late.remedy!, /clock/);
});

test("gantry doctor tells all of it, for people and programs, and fails where something is missing", async (t) => {
  const root = folder(t);
  const config = join(root, "plugins.json");
  writeFileSync(config, JSON.stringify({ plugins: [{ plugin: "mqtt", config: { port: 0 } }] }));
  const options = ["--config", config, "--data", join(root, "data")];
  const fine = await gantry("doctor", ...options);
  assert.deepEqual([fine.code, fine.stderr], [0, ""]);
  assert.match(fine.stdout, /^✓ Node: version/);
  writeFileSync(config, JSON.stringify({ plugins: [{ plugin: "mqtt", config: { broker: "mqtt://127.0.0.1:9" } }] }));
  const broken = await gantry("doctor", ...options, "--json");
  assert.equal(broken.code, 1);
  const findings = broken.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Finding);
  assert.deepEqual(
    findings.filter(({ state }) => state === "missing").map(({ about }) => about),
    ["broker"],
  );
});
