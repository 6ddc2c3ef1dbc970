// Each thing that can be missing is taken away once.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkBroker, checkDocuments, checkPort, checkSecrets } from "../../host/doctor/configuration.ts";
import { checkHolder, checkPrivate, checkSoundness, checkSpace, checkWritable } from "../../host/doctor/data-folder.ts";
import type { Finding } from "../../host/doctor/finding.ts";
import { checkClock, checkFileLimit, checkNode, checkTimeZone } from "../../host/doctor/machine.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { openStore } from "../../host/store/open.ts";
import { gantry } from "../commands/gantry.ts";

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

test("a data folder that somebody holds who does not answer", async (t) => {
  const data = join(folder(t), "data");
  assertTold(await checkHolder(data), "good", /none/);
  const store = await openStore(data);
  assertTold(await checkHolder(data), "missing", /held/);
  await store.close();
  assertTold(await checkHolder(data), "good", /none/);
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
  const config = join(folder(t), "plugins.json");
  const password = { $secret: "GANTRY_DOCTOR_TEST" };
  writeFileSync(
    config,
    JSON.stringify({ plugins: [{ plugin: "mqtt", config: { port: 0, username: "u", password } }] }),
  );
  const [absent] = await checkSecrets(readHost(config));
  assertTold(absent!, "missing", /GANTRY_DOCTOR_TEST/);
  process.env.GANTRY_DOCTOR_TEST = "set";
  t.after(() => delete process.env.GANTRY_DOCTOR_TEST);
  const [present] = await checkSecrets(readHost(config));
  assertTold(present!, "good", /there/);
});

test("a broker that is away, and a port that is taken", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assertTold(await checkBroker(`mqtt://127.0.0.1:${port}`), "good", /answers/);
  assertTold(await checkPort(port), "missing", /EADDRINUSE|in use/);
  server.close();
  await once(server, "close");
  assertTold(await checkBroker(`mqtt://127.0.0.1:${port}`), "missing", /cannot be reached/);
  assertTold(await checkPort(port), "good", /free/);
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
