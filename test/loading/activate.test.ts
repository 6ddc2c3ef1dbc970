import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PluginError } from "../../host/sdk.ts";
import { recordingLog } from "../support/recording-log.ts";
import { copyFixture, makeHostFolder, pluginFiles } from "./host-folder.ts";
import { activateFolder } from "./running-plugins.ts";

const entries = (...names: string[]) => ({ plugins: names.map((name) => ({ plugin: `./plugins/${name}` })) });

// The body of a setup that writes down when it is called and when it is stopped.
const noting = (name: string, journal = "../../journal") => `
  const note = (text) => fs.appendFileSync(new URL(${JSON.stringify(journal)}, import.meta.url), text + "\\n");
  note("setup ${name}");
  return { stop: () => note("stop ${name}") };`;

const aStep = { description: "Does it.", input: { type: "object" } };

test("plugins start after those they require and stop in reverse order", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("roof", "walls", "ground"),
    ...pluginFiles("roof", noting("roof"), { requires: ["walls"] }),
    ...pluginFiles("walls", noting("walls"), { requires: ["ground"] }),
    ...pluginFiles("ground", noting("ground")),
  });
  const plugins = await activateFolder(t, folder);
  assert.deepEqual(
    plugins.states().map(({ name, version, state }) => `${name} ${version} ${state}`),
    ["ground 1.0.0 active", "walls 1.0.0 active", "roof 1.0.0 active"],
  );
  await plugins.stop();
  const journal = readFileSync(join(folder.path, "journal"), "utf8").trim().split("\n");
  assert.deepEqual(journal, ["setup ground", "setup walls", "setup roof", "stop roof", "stop walls", "stop ground"]);
  assert.deepEqual(
    plugins.states().map(({ state }) => state),
    ["stopped", "stopped", "stopped"],
  );
});

test("plugins outside the repository, in TypeScript and JavaScript, import gantry and meet as services", async (t) => {
  const folder = makeHostFolder(t, { "plugins.json": entries("switch", "lamp") });
  copyFixture(folder, "lamp");
  copyFixture(folder, "switch");
  const plugins = await activateFolder(t, folder);
  const pressed: string[] = [];
  await plugins.services.lamp!.presses!(
    { button: "main" },
    async ({ button }: { button: string }) => void pressed.push(button),
  );
  const { implementation } = plugins.findStep("switch/press");
  // Only what the manifest names crosses over: neither `switchOff` nor `pin`.
  assert.deepEqual(await implementation.run({ button: "main" }, undefined as never), {
    reached: 1,
    members: ["press", "settings", "presses"],
  });
  assert.deepEqual(pressed, ["main"]);
});

test("a package beside the configuration runs on the host's own gantry, whatever copy it brings along", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": { plugins: [{ plugin: "@acme/gantry-modbus" }] },
    "node_modules/@acme/gantry-modbus/package.json": {
      name: "@acme/gantry-modbus",
      type: "module",
      exports: "./main.js",
    },
    "node_modules/@acme/gantry-modbus/plugin.json": {
      name: "modbus",
      version: "2.0.0",
      host: "^1.0.0",
      main: "main.js",
      steps: { fail: aStep },
    },
    "node_modules/@acme/gantry-modbus/main.js": `import { definePlugin, PluginError } from "gantry";
export default definePlugin({ setup: () => ({ steps: { fail: { run: () => { throw new PluginError("BUS_DOWN", "no answer"); } } } }) });`,
    "node_modules/@acme/gantry-modbus/node_modules/gantry/package.json": { name: "gantry", exports: "./other.js" },
    "node_modules/@acme/gantry-modbus/node_modules/gantry/other.js": "throw new Error('a second gantry')",
  });
  const plugins = await activateFolder(t, folder);
  const { implementation } = plugins.findStep("modbus/fail");
  await assert.rejects(async () => implementation.run({}, undefined as never), PluginError);
});

test("a plugin gets its configuration with defaults, frozen, and a folder of its own", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": {
      plugins: [{ plugin: "./plugins/lamp", config: { brightness: 70 } }, { plugin: "./plugins/frozen" }],
    },
    ...pluginFiles("frozen", `context.config.list.push(1); return {};`, {
      config: { type: "object", properties: { list: { type: "array", default: [] } } },
    }),
  });
  copyFixture(folder, "lamp");
  const plugins = await activateFolder(t, folder);
  const directory = join(plugins.dataDirectory, "plugins", "lamp");
  assert.deepEqual(await plugins.services.lamp!.settings!(), { device: "/dev/lamp0", brightness: 70, directory });
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  const frozen = plugins.states().find(({ name }) => name === "frozen");
  assert.equal(frozen?.code, "PLUGIN_START_FAILED");
  assert.match(frozen?.reason ?? "", /not extensible/);
});

test("the store keeps the values and messages of each plugin apart", async (t) => {
  const setup = (name: string) => `
    await context.keyValue.set("name", "${name}");
    await context.outbox.put("lane", "${name}");
    return { steps: { recall: { run: async () => ({
      value: await context.keyValue.get("name"),
      messages: (await context.outbox.read("lane", 0, 10)).map(({ message }) => message),
    }) } } };`;
  const folder = makeHostFolder(t, {
    "plugins.json": entries("one", "two"),
    ...pluginFiles("one", setup("one"), { steps: { recall: aStep } }),
    ...pluginFiles("two", setup("two"), { steps: { recall: aStep } }),
  });
  const plugins = await activateFolder(t, folder);
  for (const name of ["one", "two"]) {
    const recalled = await plugins.findStep(`${name}/recall`).implementation.run({}, undefined as never);
    assert.deepEqual(recalled, { value: name, messages: [name] });
  }
});

test("a plugin reads the secrets of its own configuration and no others", async (t) => {
  process.env.GANTRY_SECRET_LAMP_PIN = "1234";
  t.after(() => delete process.env.GANTRY_SECRET_LAMP_PIN);
  const folder = makeHostFolder(t, {
    "plugins.json": {
      plugins: [
        { plugin: "./plugins/vault", config: { pin: { $secret: "LAMP_PIN" }, door: { key: { $secret: "GONE" } } } },
      ],
    },
    ...pluginFiles(
      "vault",
      `return { steps: { open: { run: async ({ key }, { secret }) => ({ pin: await context.secret(key), same: await secret(key) }) } } };`,
      {
        config: {
          type: "object",
          properties: {
            pin: { type: "string", pattern: "^[0-9]{4}$" },
            door: { type: "object", properties: { key: { type: "string" } } },
          },
        },
        steps: { open: aStep },
      },
    ),
  });
  const plugins = await activateFolder(t, folder);
  assert.deepEqual(plugins.documents.faults, []);
  assert.deepEqual(plugins.documents.catalogue.config.vault, { door: {} });
  const { implementation, secret } = plugins.findStep("vault/open");
  assert.deepEqual(await implementation.run({ key: "pin" }, { secret } as never), { pin: "1234", same: "1234" });
  await assert.rejects(secret("door.key"), { code: "SECRET_MISSING", message: /GONE/ });
  await assert.rejects(secret("LAMP_PIN"), { code: "SECRET_MISSING", message: /vault/ });
  await assert.rejects(secret("PATH"), { code: "SECRET_MISSING" });
});

test("a plugin that is unavailable holds nobody up, and works with those that require it once it comes", async (t) => {
  const setup = `
    if (!fs.existsSync(new URL("../../device", import.meta.url)))
      throw new PluginUnavailable("there is no device", "Plug it in.");
    return { steps: { use: { run: async () => ({}) } }, triggers: { used: { start: () => () => {} } }, services: { motor: { turn: async () => "turned" } } };`;
  const folder = makeHostFolder(t, {
    "plugins.json": entries("motor", "crane", "other"),
    ...pluginFiles("motor", setup, {
      steps: { use: aStep },
      triggers: { used: { description: "It was used." } },
      provides: { motor: { methods: { turn: {} } } },
    }),
    ...pluginFiles("crane", `return { steps: { lift: { run: () => context.services.motor.turn() } } };`, {
      requires: ["motor"],
      steps: { lift: aStep },
    }),
    ...pluginFiles("other", `return { steps: { act: { run: async () => ({}) } } };`, { steps: { act: aStep } }),
  });
  const plugins = await activateFolder(t, folder, { retryDelayMs: { first: 5, longest: 20 } });
  const [motor, crane, other] = plugins.states();
  assert.deepEqual(motor, {
    name: "motor",
    version: "1.0.0",
    state: "unavailable",
    code: "PLUGIN_UNAVAILABLE",
    reason: "there is no device",
    remedy: "Plug it in.",
  });
  assert.equal(crane?.state, "unavailable");
  assert.match(crane?.reason ?? "", /requires plugin motor.*there is no device/);
  assert.equal(other?.state, "active");
  const unavailable = { code: "PLUGIN_UNAVAILABLE", message: /there is no device/, remedy: "Plug it in." };
  assert.throws(() => plugins.findStep("motor/use"), unavailable);
  assert.throws(() => plugins.findStep("crane/lift"), unavailable);
  await assert.rejects(async () => plugins.services.motor!.turn!(), unavailable);
  assert.equal(plugins.hasTrigger("motor/used"), false);

  const came: string[] = [];
  plugins.onAvailable((name) => came.push(name));
  const craneCame = new Promise<void>((resolve) => plugins.onAvailable((name) => name === "crane" && resolve()));
  writeFileSync(join(folder.path, "device"), "");
  await craneCame;
  assert.deepEqual(came, ["motor", "crane"]);
  assert.equal(plugins.hasTrigger("motor/used"), true);
  assert.equal(await plugins.findStep("crane/lift").implementation.run({}, undefined as never), "turned");
  // Its absence was worth one warning, however often it was tried.
  assert.equal(plugins.lines.filter(({ level, fields }) => level === "warn" && fields.plugin === "motor").length, 1);
});

test("a plugin that fails when it is tried again takes those that require it along", async (t) => {
  const setup = `
    const seen = new URL("../../seen", import.meta.url);
    if (fs.existsSync(seen)) throw new Error("burnt out");
    fs.writeFileSync(seen, "");
    throw new PluginUnavailable("not yet", "Wait.");`;
  const folder = makeHostFolder(t, {
    "plugins.json": entries("motor", "crane"),
    ...pluginFiles("motor", setup),
    ...pluginFiles("crane", "return {};", { requires: ["motor"] }),
  });
  const plugins = await activateFolder(t, folder, { retryDelayMs: { first: 5, longest: 5 } });
  while (plugins.states().some(({ state }) => state === "unavailable"))
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    plugins.states().map(({ name, state, code }) => [name, state, code]),
    [
      ["motor", "failed", "PLUGIN_START_FAILED"],
      ["crane", "failed", "PLUGIN_START_FAILED"],
    ],
  );
});

test("a setup that hangs is given up, and what it brings later is given back", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("slow", "after", "other"),
    ...pluginFiles(
      "slow",
      `await new Promise((resolve) => { globalThis.letSlowGo = resolve; });
       return { stop: () => globalThis.slowGaveBack() };`,
    ),
    ...pluginFiles("after", "return {};", { requires: ["slow"] }),
    ...pluginFiles("other", "return {};"),
  });
  const shared = globalThis as unknown as { letSlowGo: () => void; slowGaveBack: () => void };
  const givenBack = new Promise<void>((resolve) => {
    shared.slowGaveBack = resolve;
  });
  const plugins = await activateFolder(t, folder, { setupTimeoutMs: 50 });
  assert.deepEqual(
    plugins.states().map(({ name, state, code }) => [name, state, code]),
    [
      ["slow", "failed", "PLUGIN_START_TIMEOUT"],
      ["after", "failed", "PLUGIN_START_FAILED"],
      ["other", "active", undefined],
    ],
  );
  shared.letSlowGo();
  await givenBack;
});

test("a module or setup that throws fails its plugin, with what it said, and the host goes on", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("throws", "breaks", "lies", "other"),
    ...pluginFiles("throws", `throw Object.assign(new Error("no such port"), { code: "ENODEV" });`, {
      steps: { act: aStep },
    }),
    ...pluginFiles("breaks", "}}} this is no JavaScript"),
    ...pluginFiles("lies", ""),
    "plugins/lies/index.js": "export default { set: 1 };",
    ...pluginFiles("other", "return {};"),
  });
  const plugins = await activateFolder(t, folder);
  const [throws, breaks, lies, other] = plugins.states();
  assert.deepEqual([throws?.state, throws?.code], ["failed", "PLUGIN_START_FAILED"]);
  assert.match(throws?.reason ?? "", /no such port.*ENODEV/);
  assert.ok(throws?.remedy);
  assert.equal(breaks?.code, "PLUGIN_START_FAILED");
  assert.equal(lies?.code, "PLUGIN_CONTRACT_BROKEN");
  assert.equal(other?.state, "active");
  assert.throws(() => plugins.findStep("throws/act"), { code: "PLUGIN_START_FAILED", message: /no such port/ });
});

test("a plugin whose code and manifest disagree is refused, and everything that differs is named", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("mixed"),
    ...pluginFiles(
      "mixed",
      `return {
        steps: { extra: { run() {} }, hollow: {} },
        services: { tank: { fill: async () => {} } },
        stop: () => fs.writeFileSync(new URL("../../stopped", import.meta.url), ""),
      };`,
      {
        steps: { act: aStep, hollow: aStep },
        triggers: { seen: { description: "Seen." } },
        provides: { tank: { methods: { fill: {}, drain: {} } } },
      },
    ),
  });
  const plugins = await activateFolder(t, folder);
  const [{ state, code, reason = "" }] = plugins.states() as [ReturnType<typeof plugins.states>[number]];
  assert.deepEqual([state, code], ["failed", "PLUGIN_CONTRACT_BROKEN"]);
  for (const part of [
    "step act is declared but not contributed",
    "step extra is contributed but not declared",
    "step hollow has no `run`",
    "trigger seen is declared but not contributed",
    "service tank has no `drain`",
  ])
    assert.ok(reason.includes(part), `${part} in: ${reason}`);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(existsSync(join(folder.path, "stopped")), "what setup took was given back");
});

test("a stop that hangs or throws does not keep the others from stopping", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("ground", "hangs", "throws"),
    ...pluginFiles("ground", noting("ground")),
    ...pluginFiles("hangs", "return { stop: () => new Promise(() => {}) };"),
    ...pluginFiles("throws", `return { stop: () => { throw new Error("stuck"); } };`),
  });
  const plugins = await activateFolder(t, folder, { stopTimeoutMs: 30 });
  await plugins.stop();
  assert.match(readFileSync(join(folder.path, "journal"), "utf8"), /stop ground/);
  const warned = plugins.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields.plugin);
  assert.deepEqual(warned, ["throws", "hangs"]);
});

test("stopping ends the attempts at an unavailable plugin and does not wait for a setup under way", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("away", "slow"),
    ...pluginFiles(
      "away",
      `fs.appendFileSync(new URL("../../tries", import.meta.url), "x"); throw new PluginUnavailable("away", "Wait.");`,
    ),
    ...pluginFiles(
      "slow",
      `if (globalThis.slowTried) return new Promise(() => {});
       globalThis.slowTried = true;
       throw new PluginUnavailable("slow", "Wait.");`,
    ),
  });
  const plugins = await activateFolder(t, folder, { retryDelayMs: { first: 5, longest: 5 }, stopTimeoutMs: 20 });
  const tries = () => readFileSync(join(folder.path, "tries"), "utf8").length;
  while (tries() < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  await plugins.stop();
  const afterStop = tries();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(tries(), afterStop);
});

test("after a plugin has stopped its services reject instead of reaching into it", async (t) => {
  const folder = makeHostFolder(t, { "plugins.json": entries("lamp") });
  copyFixture(folder, "lamp");
  const plugins = await activateFolder(t, folder);
  assert.equal(await plugins.services.lamp!.press!("main"), 0);
  await plugins.stop();
  await assert.rejects(async () => plugins.services.lamp!.press!("main"), { code: "PLUGIN_UNAVAILABLE" });
});

test("a step checks its input with defaults filled in, its output, and carries its declared errors", async (t) => {
  const folder = makeHostFolder(t, { "plugins.json": entries("lamp") });
  copyFixture(folder, "lamp");
  const plugins = await activateFolder(t, folder);
  const blink = plugins.findStep("lamp/blink");
  const input = { times: 3 };
  assert.deepEqual(blink.checkInput(input), []);
  assert.deepEqual(input, { times: 3, colour: "white" });
  assert.equal(blink.checkInput({ times: 0 }).length, 1);
  assert.equal(blink.checkInput({ times: 1, colur: "red" }).length, 1);
  assert.deepEqual(blink.checkOutput({ blinked: 3 }), []);
  assert.equal(blink.checkOutput({}).length, 1);
  assert.equal(blink.errors.LAMP_DARK?.remedy, "Plug it in.");
  assert.deepEqual([blink.uses, blink.plugin], ["lamp/blink", "lamp"]);
  await assert.rejects(blink.fetch("http://127.0.0.1:1/"), { code: "PERMISSION_DENIED" });
  for (const uses of ["lamp/glow", "none/blink", "lamp", "lamp/toString"])
    assert.throws(() => plugins.findStep(uses), { code: "STEP_UNKNOWN" }, uses);
});

test("a trigger starts with its defaults, and what it emits is held against its manifest", async (t) => {
  const folder = makeHostFolder(t, { "plugins.json": entries("lamp") });
  copyFixture(folder, "lamp");
  const plugins = await activateFolder(t, folder);
  const emitted: unknown[] = [];
  const context = { workflow: "w", index: 0, log: recordingLog([]) };
  const emit = async (emission: { input: unknown }) => ({ runId: String(emitted.push(emission.input)) });
  const stop = await plugins.startTrigger("lamp/pressed", {}, emit, context);
  await plugins.services.lamp!.press!("main");
  assert.deepEqual(emitted, [{ button: "main", long: false }]);
  await stop();
  await plugins.services.lamp!.press!("main");
  assert.equal(emitted.length, 1);
  await assert.rejects(plugins.startTrigger("lamp/pressed", { buton: "x" }, emit, context), { code: "INPUT_INVALID" });
  await assert.rejects(plugins.startTrigger("lamp/held", {}, emit, context), { code: "TRIGGER_UNKNOWN" });
});

test("a plugin with faults in its documents is refused together with those that require it", async (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": {
      plugins: [
        { plugin: "./plugins/lamp", config: { brightness: 1000 } },
        { plugin: "./plugins/switch" },
        { plugin: "./plugins/other" },
      ],
    },
    ...pluginFiles("other", "return {};"),
  });
  copyFixture(folder, "lamp");
  copyFixture(folder, "switch");
  const plugins = await activateFolder(t, folder);
  const states = Object.fromEntries(plugins.states().map(({ name, state, code }) => [name, `${state} ${code}`]));
  assert.deepEqual(states, {
    lamp: "failed PLUGIN_REFUSED",
    switch: "failed PLUGIN_START_FAILED",
    other: "active undefined",
  });
  assert.throws(() => plugins.findStep("lamp/blink"), { code: "PLUGIN_REFUSED", message: /brightness/ });
});

test("a configuration that cannot be used starts nothing", async (t) => {
  const folder = makeHostFolder(t, { "plugins.json": `{ "plugins": [` });
  await assert.rejects(activateFolder(t, folder), { code: "CONFIGURATION_INVALID" });
});
