// The plugin `host` as documents see it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkManifest } from "../../host/documents/check-manifest.ts";
import { readDocument } from "../../host/documents/document.ts";
import { activatePlugins } from "../../host/loading/activate.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import { openStore } from "../../host/store/open.ts";
import { makeHostFolder } from "../loading/host-folder.ts";

const manifestFile = fileURLToPath(new URL("../../host/builtin/plugin.json", import.meta.url));
const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));

test("its manifest has no fault", () => {
  assert.deepEqual(checkManifest(readDocument(manifestFile).document!), []);
});

test("every error it declares is thrown by its code and brought about by a test, and no other is", () => {
  const declared = Object.keys(manifest.errors).sort();
  for (const folder of ["host/builtin", "test/builtin"]) {
    const path = fileURLToPath(new URL(`../../${folder}/`, import.meta.url));
    const sources = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    const text = sources.map((name) => readFileSync(join(path, name), "utf8")).join("\n");
    const named = new Set(text.match(/(?<=")HOST_[A-Z_]+(?=")/g));
    assert.deepEqual([...named].sort(), declared, folder);
  }
});

test("every host has it, first of all and with its defaults, and its steps and triggers are known", async (t) => {
  const folder = makeHostFolder(t, { "plugins.json": { plugins: [{ plugin: "verify" }] } });
  const documents = readHost(folder.configurationFile);
  assert.deepEqual(documents.faults, []);
  assert.deepEqual(
    documents.plugins.map(({ name, builtIn, refusal }) => [name, builtIn, refusal]),
    [
      ["host", true, undefined],
      ["verify", true, undefined],
    ],
  );
  assert.equal(documents.plugins[0]!.config.sysrqTriggerFile, "/proc/sysrq-trigger");
  for (const name of Object.keys(manifest.steps))
    assert.equal(documents.catalogue.steps.get(`host/${name}`)?.active, true);
  for (const name of Object.keys(manifest.triggers))
    assert.equal(documents.catalogue.triggers.get(`host/${name}`)?.active, true);
  const store = await openStore(folder.path);
  const plugins = await activatePlugins(documents, {
    store,
    log: createLog({ level: "silent" }),
    dataDirectory: folder.path,
  });
  t.after(async () => {
    await plugins.stop();
    await store.close();
  });
  assert.deepEqual(
    plugins.states().map(({ name, state }) => `${name} ${state}`),
    ["host active", "verify active"],
  );
  const { implementation } = plugins.findStep("host/signal");
  // There is no engine here that could take it.
  await assert.rejects(implementation.run({ name: "x", value: null } as never, { idempotencyKey: "k" } as never), {
    code: "PLUGIN_CONTRACT_BROKEN",
  });
});

test("it can be configured under its name, wherever it stands among the others", (t) => {
  const config = { rebootCommand: ["systemctl", "reboot"] };
  const folder = makeHostFolder(t, {
    "plugins.json": { plugins: [{ plugin: "verify" }, { plugin: "host", config }] },
  });
  const { plugins, catalogue, faults } = readHost(folder.configurationFile);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    plugins.map(({ name }) => name),
    ["host", "verify"],
  );
  assert.deepEqual((catalogue.config.host as { rebootCommand: string[] }).rebootCommand, config.rebootCommand);
});

test("it cannot be switched off, listed twice or configured with unknown names", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": {
      plugins: [{ plugin: "host", enabled: false, config: { rebootComand: ["reboot"] } }, { plugin: "host" }],
    },
  });
  const { plugins, faults } = readHost(folder.configurationFile);
  const serious = faults.filter(({ severity }) => severity === "fault");
  assert.deepEqual(
    serious.map(({ pointer }) => pointer),
    ["/plugins/0/enabled", "/plugins/0/config/rebootComand", "/plugins/1/plugin"],
  );
  assert.match(serious[0]!.message, /part of every host/);
  assert.equal(plugins.length, 1);
});

test("no other plugin takes its name", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": { plugins: [{ plugin: "./other" }] },
    "other/plugin.json": { name: "host", version: "1.0.0", host: "*", main: "index.js" },
    "other/index.js": "",
  });
  const { plugins, faults } = readHost(folder.configurationFile);
  assert.equal(faults.length, 1);
  assert.deepEqual(
    plugins.map(({ name, builtIn }) => [name, builtIn]),
    [["host", true]],
  );
});

/** Pointer and message of each fault in a workflow with this trigger or step. */
function faultsOf(t: Parameters<typeof makeHostFolder>[0], part: object): string[] {
  const folder = makeHostFolder(t, {
    "plugins.json": { workflows: ["./workflows"], plugins: [] },
    "workflows/test.json": { name: "test", steps: [], ...part },
  });
  // Notes, such as that nothing sends a signal, are no faults.
  return readHost(folder.configurationFile)
    .faults.filter(({ severity }) => severity === "fault")
    .map(({ pointer, message }) => `${pointer}: ${message}`);
}

const scheduled = (settings: object) => ({ on: [{ trigger: "host/schedule", with: settings }] });

test("a schedule is checked before anything runs: one of cron and every, each in its form", (t) => {
  for (const settings of [
    { cron: "0 3 * * *", timezone: "Europe/Berlin", jitter: "10m", missed: "skip" },
    { cron: "@daily" },
    { every: "1h30m" },
  ])
    assert.deepEqual(faultsOf(t, scheduled(settings)), []);
  const place = "/on/0/with";
  assert.deepEqual(faultsOf(t, scheduled({})), [`${place}: \`cron\` or \`every\` is missing`]);
  assert.deepEqual(faultsOf(t, scheduled({ cron: "0 3 * * *", every: "1h" })), [
    `${place}: \`with\` must not have \`cron\` and \`every\` together`,
  ]);
  assert.deepEqual(faultsOf(t, scheduled({ corn: "0 3 * * *" })), [`${place}/corn: \`corn\` is not known here`]);
  assert.match(faultsOf(t, scheduled({ cron: "0 25 * * *" })).join(), /^\/on\/0\/with\/cron: `cron` must be a cron/);
  assert.match(
    faultsOf(t, scheduled({ cron: "0 3 * * *", timezone: "Europe/Berln" })).join(),
    /^\/on\/0\/with\/timezone: `timezone` must be a time zone/,
  );
  assert.match(
    faultsOf(t, scheduled({ every: "0s" })).join(),
    /^\/on\/0\/with\/every: `every` must be a duration above/,
  );
  assert.match(faultsOf(t, scheduled({ every: "1h", jitter: "1m" })).join(), /`cron` is missing; `jitter` needs it$/);
});

test("what a step of the host takes is checked before anything runs", (t) => {
  const step = (uses: string, input: object) => ({ steps: [{ uses, with: input }] });
  const place = "/steps/0/with";
  for (const input of [{ duration: "1h" }, { until: { from: "22:00", to: "04:00" } }, { for: "approved" }])
    assert.deepEqual(faultsOf(t, step("host/wait", input)), []);
  assert.deepEqual(faultsOf(t, step("host/wait", {})), [`${place}: \`duration\`, \`until\` or \`for\` is missing`]);
  assert.deepEqual(faultsOf(t, step("host/wait", { duration: "1h", for: "${{ run.id }}" })), [
    `${place}: \`with\` must not have \`duration\` and \`for\` together`,
  ]);
  assert.match(faultsOf(t, step("host/wait", { until: { from: "24:00", to: "4:00" } })).join(), /from.*to/);
  assert.match(faultsOf(t, step("host/fail", { code: "no such", message: "x" })).join(), /capital letters/);
  assert.match(faultsOf(t, step("host/reboot", { delay: "10" })).join(), /a duration with a unit/);
});
