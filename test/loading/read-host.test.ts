import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import type { Fault } from "../../host/documents/fault.ts";
import { copyFixture, type HostFolder, makeHostFolder, pluginFiles, readListed } from "./host-folder.ts";

/** `file:line:column code`, the file relative to the folder. */
const places = (folder: HostFolder, faults: readonly Fault[]) =>
  faults.map(({ file, line, column, code }) => `${relative(folder.path, file)}:${line}:${column} ${code}`);

const entries = (...names: string[]) => ({ plugins: names.map((name) => ({ plugin: `./plugins/${name}` })) });

const workflow = (name: string, more: object = {}) => ({ name, steps: [], ...more });

test("a plugin is found by its short name, by a path and by the name of a package beside the configuration", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": {
      plugins: [
        { plugin: "own" },
        { plugin: "./local" },
        { plugin: "@acme/gantry-modbus" },
        { plugin: "plain-package" },
      ],
    },
    "built-in/own/plugin.json": { name: "own", version: "1.0.0", host: "^1.0.0", main: "index.js" },
    "built-in/own/index.js": "",
    "local/plugin.json": { name: "local", version: "1.0.0", host: "^1.0.0", main: "index.js" },
    "local/index.js": "",
    // Its `exports` hide plugin.json, as those of most packages would.
    "node_modules/@acme/gantry-modbus/package.json": { name: "@acme/gantry-modbus", exports: { ".": "./main.js" } },
    "node_modules/@acme/gantry-modbus/plugin.json": {
      name: "modbus",
      version: "2.0.0",
      host: "^1.0.0",
      main: "./main.js",
    },
    "node_modules/@acme/gantry-modbus/main.js": "",
    "node_modules/plain-package/plugin.json": { name: "plain", version: "1.0.0", host: "*", main: "lib/index.js" },
    "node_modules/plain-package/lib/index.js": "",
  });
  const { plugins, faults } = readListed(folder.configurationFile, { builtInDirectory: join(folder.path, "built-in") });
  assert.deepEqual(faults, []);
  assert.deepEqual(
    plugins.map(({ name, builtIn, main }) => [name, builtIn, relative(folder.path, main)]),
    [
      ["own", true, "built-in/own/index.js"],
      ["local", false, "local/index.js"],
      ["modbus", false, "node_modules/@acme/gantry-modbus/main.js"],
      ["plain", false, "node_modules/plain-package/lib/index.js"],
    ],
  );
});

test("a built-in plugin that is only required is activated with its defaults, before the one that requires it", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("reporter"),
    ...pluginFiles("reporter", "", { requires: ["broker"] }),
    "built-in/mqtt/plugin.json": {
      name: "mqtt",
      version: "1.0.0",
      host: "^1.0.0",
      main: "index.js",
      requires: ["base"],
      provides: { broker: {} },
      config: { type: "object", properties: { port: { type: "integer", default: 1883 } } },
    },
    "built-in/mqtt/index.js": "",
    "built-in/base/plugin.json": { name: "base", version: "1.0.0", host: "^1.0.0", main: "index.js" },
    "built-in/base/index.js": "",
    "built-in/idle/plugin.json": {
      name: "idle",
      version: "1.0.0",
      host: "^1.0.0",
      main: "index.js",
      steps: { rest: { description: "Rests.", input: { type: "object" } } },
    },
    "built-in/idle/index.js": "",
  });
  const { plugins, faults, catalogue } = readListed(folder.configurationFile, {
    builtInDirectory: join(folder.path, "built-in"),
  });
  assert.deepEqual(faults, []);
  assert.deepEqual(
    plugins.map(({ name, config, requiredPlugins, requiredServices }) => ({
      name,
      config,
      requiredPlugins,
      requiredServices,
    })),
    [
      { name: "base", config: {}, requiredPlugins: [], requiredServices: [] },
      { name: "mqtt", config: { port: 1883 }, requiredPlugins: ["base"], requiredServices: [] },
      { name: "reporter", config: {}, requiredPlugins: ["mqtt"], requiredServices: ["broker"] },
    ],
  );
  assert.deepEqual(catalogue.config, { base: {}, mqtt: { port: 1883 }, reporter: {} });
  assert.equal(catalogue.steps.get("idle/rest")?.active, false, "a plugin nobody asks for is known but not active");
});

test("a circle is one fault that names it, and only its members are unusable", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("a", "b", "c", "other"),
    ...pluginFiles("a", "", { requires: ["b"] }),
    ...pluginFiles("b", "", { requires: ["c"] }),
    ...pluginFiles("c", "", { requires: ["a"] }),
    ...pluginFiles("other", ""),
  });
  const { plugins, faults } = readListed(folder.configurationFile);
  assert.deepEqual(places(folder, faults), ["plugins.json:4:17 PLUGIN_CIRCLE"]);
  assert.match(faults[0]!.message, /a -> b -> c -> a/);
  const refused = plugins.filter(({ refusal }) => refusal !== undefined).map(({ name }) => name);
  assert.deepEqual(refused.sort(), ["a", "b", "c"]);
});

const configuration = `{
  "plugins": [
    {
      "plugin": "./plugins/lamp",
      "config": {
        "brightnes": 3,
        "device": 7,
        "logFile": "lamp.log",
        "labels": ["a", 5],
        "wiring": { "phase": "L3" }
      }
    },
    { "plugin": "./plugins/other" }
  ]
}
`;

test("faults of a configuration stand at their place, and a name without use is a note", (t) => {
  const folder = makeHostFolder(t, { "plugins.json": configuration, ...pluginFiles("other", "") });
  copyFixture(folder, "lamp");
  const { plugins, faults } = readListed(folder.configurationFile);
  const found = faults.map(({ line, column, pointer, severity, suggestion }) =>
    `${line}:${column} ${pointer.replace("/plugins/0/config", "")} ${severity} ${suggestion ?? ""}`.trim(),
  );
  assert.deepEqual(found.sort(), [
    "10:30 /wiring/phase fault L1",
    "6:9 /brightnes fault brightness",
    "7:19 /device fault",
    "8:9 /logFile note",
    "9:25 /labels/1 fault",
  ]);
  for (const { file } of faults) assert.equal(file, folder.configurationFile);
  const usable = plugins.filter(({ refusal }) => refusal === undefined).map(({ name }) => name);
  assert.deepEqual(usable, ["other"]);
});

test("defaults are filled in, secrets stay references, ignored names are gone, and expressions see no secret", (t) => {
  const config = { pin: { $secret: "LAMP_PIN" }, labels: ["x", { $secret: "LABEL" }], wiring: {}, logFile: "x" };
  const folder = makeHostFolder(t, { "plugins.json": { plugins: [{ plugin: "./plugins/lamp", config }] } });
  copyFixture(folder, "lamp");
  const { plugins, faults, catalogue } = readListed(folder.configurationFile);
  assert.deepEqual(
    faults.map(({ code, severity }) => `${code} ${severity}`),
    ["CONFIG_IGNORED note"],
  );
  const filled = { device: "/dev/lamp0", brightness: 50, wiring: { phase: "L1" } };
  assert.deepEqual(plugins[0]?.config, { ...filled, pin: config.pin, labels: config.labels });
  assert.deepEqual(catalogue.config, { lamp: { ...filled, labels: ["x"] } });
});

test("a secret where no text is expected, or under an unknown name, is a fault", (t) => {
  const config = { brightness: { $secret: "BRIGHTNESS" }, pni: { $secret: "PIN" } };
  const folder = makeHostFolder(t, { "plugins.json": { plugins: [{ plugin: "./plugins/lamp", config }] } });
  copyFixture(folder, "lamp");
  const { faults } = readListed(folder.configurationFile);
  assert.deepEqual(
    faults.map(({ pointer, severity }) => `${pointer} ${severity}`),
    ["/plugins/0/config/brightness fault", "/plugins/0/config/pni fault"],
  );
});

test("plugins that cannot be used are faults at their entry, and the rest stays usable", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": `{
  "plugins": [
    { "plugin": "./plugins/nowhere" },
    { "plugin": "no-such-package" },
    { "plugin": "ownn" },
    { "plugin": "./plugins/good" },
    { "plugin": "./plugins/good" },
    { "plugin": "./plugins/good" },
    { "plugin": "./plugins/away", "enabled": false }
  ]
}`,
    "built-in/own/plugin.json": { name: "own", version: "1.0.0", host: "^1.0.0", main: "index.js" },
    ...pluginFiles("good", ""),
  });
  const { plugins, faults } = readListed(folder.configurationFile, { builtInDirectory: join(folder.path, "built-in") });
  assert.deepEqual(places(folder, faults), [
    "plugins.json:3:17 PLUGIN_NOT_FOUND",
    "plugins.json:4:17 PLUGIN_NOT_FOUND",
    "plugins.json:5:17 PLUGIN_NOT_FOUND",
    "plugins.json:7:17 PLUGIN_DUPLICATE",
  ]);
  assert.equal(faults[2]?.suggestion, "own");
  assert.deepEqual(
    plugins.map(({ name }) => name),
    ["good"],
  );
});

test("a plugin that can run in the host's process only is refused elsewhere", (t) => {
  const alone = { name: "alone", version: "1.0.0", host: "^1.0.0", main: "index.js", inProcessOnly: "it links files" };
  const folder = makeHostFolder(t, {
    "plugins.json": `{
  "plugins": [
    { "plugin": "own", "isolation": "together" },
    { "plugin": "./plugins/outside" }
  ]
}`,
    "built-in/own/plugin.json": { ...alone, name: "own" },
    "built-in/own/index.js": "",
    "plugins/outside/plugin.json": { ...alone, name: "outside" },
    "plugins/outside/index.js": "",
  });
  const { faults } = readListed(folder.configurationFile, { builtInDirectory: join(folder.path, "built-in") });
  assert.deepEqual(places(folder, faults), [
    "plugins.json:3:37 PLUGIN_IN_PROCESS_ONLY",
    "plugins.json:4:17 PLUGIN_IN_PROCESS_ONLY",
  ]);
  assert.match(faults[0]!.message, /own .* it links files/);
});

test("a manifest is held against the plugin interface and its folder", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("future", "nonsense", "unbuilt", "outside", "linked", "unreadable", "good"),
    ...pluginFiles("future", "", { host: "^2.0.0" }),
    ...pluginFiles("nonsense", "", { host: "one", version: "first" }),
    ...pluginFiles("unbuilt", "", { main: "dist/index.js" }),
    ...pluginFiles("outside", "", { main: "../good/index.js" }),
    ...pluginFiles("linked", "", { main: "link.js" }),
    ...pluginFiles("good", ""),
    "plugins/unreadable/plugin.json": "{",
  });
  symlinkSync("../good/index.js", join(folder.path, "plugins/linked/link.js"));
  const { plugins, faults } = readListed(folder.configurationFile);
  const found = places(folder, faults);
  assert.deepEqual(
    found.map((place) => place.replace(/:\d+:\d+/, "")),
    [
      "plugins/future/plugin.json PLUGIN_HOST_RANGE",
      "plugins/nonsense/plugin.json PLUGIN_VERSION_INVALID",
      "plugins/nonsense/plugin.json PLUGIN_HOST_RANGE",
      "plugins/unbuilt/plugin.json PLUGIN_MAIN_MISSING",
      "plugins/outside/plugin.json PLUGIN_MAIN_OUTSIDE",
      "plugins/linked/plugin.json PLUGIN_MAIN_OUTSIDE",
      found.at(-1)!.replace(/:\d+:\d+/, ""),
    ],
  );
  assert.equal(found[0], "plugins/future/plugin.json:4:11 PLUGIN_HOST_RANGE");
  assert.match(found.at(-1)!, /^plugins\/unreadable\/plugin\.json:1:\d /);
  const usable = plugins.filter(({ refusal }) => refusal === undefined).map(({ name }) => name);
  assert.deepEqual(usable, ["good"]);
});

test("a requirement that nobody meets, or only a plugin that is not enabled, is a fault of the one that requires", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": {
      plugins: [
        { plugin: "./plugins/crane" },
        { plugin: "./plugins/motor", enabled: false },
        { plugin: "./plugins/door" },
      ],
    },
    ...pluginFiles("crane", "", { requires: ["motor"] }),
    ...pluginFiles("door", "", { requires: ["motr"] }),
    ...pluginFiles("motor", ""),
  });
  const { plugins, faults } = readListed(folder.configurationFile);
  assert.deepEqual(places(folder, faults), [
    "plugins.json:4:17 REQUIREMENT_DISABLED",
    "plugins/door/plugin.json:7:5 REQUIREMENT_UNKNOWN",
  ]);
  assert.equal(faults[1]?.suggestion, "motor");
  assert.ok(plugins.every(({ refusal }) => refusal !== undefined));
});

test("two plugins that provide one service are a fault, and the first keeps it", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": entries("one", "two"),
    ...pluginFiles("one", "", { provides: { tank: {} } }),
    ...pluginFiles("two", "", { provides: { tank: {} } }),
  });
  const { plugins, faults } = readListed(folder.configurationFile);
  assert.deepEqual(places(folder, faults), ["plugins.json:7:17 SERVICE_DUPLICATE"]);
  assert.deepEqual(
    plugins.map(({ name, refusal }) => [name, refusal === undefined]),
    [
      ["one", true],
      ["two", false],
    ],
  );
});

test("what follows only from a broken plugin is no fault of its own", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": { workflows: ["./workflows"], ...entries("lamp", "crane") },
    "plugins/lamp/plugin.json": { name: "lamp" },
    ...pluginFiles("crane", "", { requires: ["light"] }),
    "workflows/blink.json": workflow("blink", {
      on: [{ trigger: "lamp/pressed" }],
      vars: { x: "${{ config.lamp.x }}" },
      steps: [{ uses: "lamp/blink" }],
    }),
    "workflows/other.json": workflow("other", { steps: [{ uses: "nobody/blink" }] }),
  });
  const { faults, workflows } = readListed(folder.configurationFile);
  const files = faults.map(({ file }) => relative(folder.path, file));
  assert.deepEqual([...new Set(files)].sort(), ["plugins/lamp/plugin.json", "workflows/other.json"]);
  assert.deepEqual(workflows, []);
});

test("workflow folders are read recursively and in order, and a broken document is left out alone", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": { workflows: ["./workflows", "./more", "./workflows/b"], plugins: [] },
    "workflows/z.json": workflow("z"),
    "workflows/b/nested.json": workflow("nested"),
    "workflows/a.json": workflow("a"),
    "workflows/broken.json": `{ "name": "broken", }`,
    "workflows/readme.md": "no document",
    "more/later.json": workflow("later"),
  });
  const { workflows, faults } = readListed(folder.configurationFile);
  assert.deepEqual(
    workflows.map(({ name }) => name),
    ["a", "nested", "z", "later"],
  );
  assert.deepEqual([...new Set(faults.map(({ file }) => relative(folder.path, file)))], ["workflows/broken.json"]);
  const [{ text, hash, file, document }] = workflows as [(typeof workflows)[number]];
  assert.equal(file, join(folder.path, "workflows/a.json"));
  assert.deepEqual(JSON.parse(text), { ...document });
  assert.match(hash, /^[0-9a-f]{64}$/);
});

test("a workflow folder that is missing or no folder is a fault at its place", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": `{
  "workflows": ["./flows", "./file"],
  "plugins": []
}`,
    file: "no folder",
  });
  const { faults, configuration } = readListed(folder.configurationFile);
  assert.deepEqual(places(folder, faults), [
    "plugins.json:2:17 WORKFLOW_FOLDER_MISSING",
    "plugins.json:2:28 WORKFLOW_FOLDER_MISSING",
  ]);
  assert.ok(configuration);
});

test("a name that several workflows have is one fault, and the first document keeps it", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": { workflows: ["./workflows"], plugins: [] },
    "workflows/1.json": workflow("same"),
    "workflows/2.json": workflow("same"),
    "workflows/3.json": workflow("same"),
  });
  const { workflows, faults } = readListed(folder.configurationFile);
  assert.deepEqual(places(folder, faults), ["workflows/2.json:2:11 WORKFLOW_DUPLICATE"]);
  assert.deepEqual(
    workflows.map(({ file }) => relative(folder.path, file)),
    ["workflows/1.json"],
  );
});

test("a workflow is active as its `enabled` says, which may ask the configuration", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": {
      workflows: ["./workflows"],
      plugins: [{ plugin: "./plugins/lamp", config: { device: "strip" } }],
    },
    "workflows/1.json": workflow("on", { enabled: true }),
    "workflows/2.json": workflow("off", { enabled: false }),
    "workflows/3.json": workflow("strip", { enabled: "${{ config.lamp.device == 'strip' }}" }),
    "workflows/4.json": workflow("bulb", { enabled: "${{ config.lamp.device == 'bulb' }}" }),
    "workflows/5.json": workflow("wrong", { enabled: "${{ fromJSON(config.lamp.device) }}" }),
  });
  copyFixture(folder, "lamp");
  const { workflows, inactiveWorkflows, faults } = readListed(folder.configurationFile);
  assert.deepEqual(
    workflows.map(({ name }) => name),
    ["on", "strip"],
  );
  assert.deepEqual(
    inactiveWorkflows.map(({ name }) => name),
    ["off", "bulb"],
  );
  assert.deepEqual(places(folder, faults), ["workflows/5.json:4:14 WORKFLOW_ENABLED_INVALID"]);
});

test("a workflow that needs a plugin which is not enabled is not active, and a note says so", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": { workflows: ["./workflows"], plugins: [{ plugin: "./plugins/lamp", enabled: false }] },
    "workflows/blink.json": workflow("blink", {
      vars: { brightness: "${{ config.lamp.brightness }}" },
      steps: [{ uses: "lamp/blink", with: { times: 1 } }],
    }),
  });
  copyFixture(folder, "lamp");
  const { workflows, inactiveWorkflows, faults } = readListed(folder.configurationFile);
  assert.deepEqual(workflows, []);
  assert.deepEqual(
    inactiveWorkflows.map(({ name }) => name),
    ["blink"],
  );
  assert.deepEqual(
    faults.map(({ code, severity }) => `${code} ${severity}`),
    ["PLUGIN_NOT_ENABLED note"],
  );
});

test("a configuration that cannot be used gives no configuration, and its faults", (t) => {
  for (const text of [`{ "plugins": [ }`, `{ "plugin": [] }`, `[]`, `{ "plugins": [], "extra": 1 }`]) {
    const folder = makeHostFolder(t, { "plugins.json": text });
    const documents = readListed(folder.configurationFile);
    assert.equal(documents.configuration, undefined, text);
    assert.ok(documents.faults.length > 0, text);
    assert.deepEqual([documents.plugins, documents.workflows], [[], []]);
  }
  const folder = makeHostFolder(t, {});
  const { configuration, faults } = readListed(folder.configurationFile);
  assert.equal(configuration, undefined);
  assert.deepEqual(places(folder, faults), ["plugins.json:1:1 FILE_UNREADABLE"]);
});

test("of a configuration that cannot be used all faults are told, and none that only follow from them", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": {
      device: { id: "x" },
      workflows: ["./nowhere", "./workflows"],
      plugins: [
        "mqtt",
        { name: "./plugins/good" },
        { plugin: "./plugins/none" },
        { plugin: "./plugins/strict", config: { lvel: 1 } },
      ],
    },
    ...pluginFiles("good", ""),
    ...pluginFiles("strict", "", { config: { type: "object", properties: { level: { type: "integer" } } } }),
    "workflows/a.json": workflow("a", {
      on: [{ trigger: "mqtt/message", with: { topic: "a" } }],
      steps: [{ uses: "good/step" }, { uses: "mqtt/publish", with: { topic: "a", payload: 1 } }],
    }),
    "workflows/b.json": workflow("b", { stesp: [] }),
  });
  const { configuration, faults } = readListed(folder.configurationFile);
  assert.equal(configuration, undefined);
  assert.deepEqual(
    faults.map(({ file, code, pointer }) => `${relative(folder.path, file)} ${code} ${pointer}`),
    [
      "plugins.json KEY_UNKNOWN /device/id",
      "plugins.json WORKFLOW_FOLDER_MISSING /workflows/0",
      "plugins.json VALUE_WRONG /plugins/0",
      "plugins.json KEY_UNKNOWN /plugins/1/name",
      "plugins.json PLUGIN_NOT_FOUND /plugins/2/plugin",
      "plugins.json KEY_UNKNOWN /plugins/3/config/lvel",
      "workflows/b.json KEY_UNKNOWN /stesp",
    ],
  );
});

test("a broken entry leaves the others usable", (t) => {
  const folder = makeHostFolder(t, {
    "plugins.json": {
      plugins: [{ plugin: 7 }, { plugin: "./plugins/good", enabled: "yes" }, { plugin: "./plugins/other" }],
    },
    ...pluginFiles("good", ""),
    ...pluginFiles("other", ""),
  });
  const { configuration, plugins, faults } = readListed(folder.configurationFile);
  assert.ok(configuration);
  assert.deepEqual(
    faults.map(({ pointer }) => pointer),
    ["/plugins/0/plugin", "/plugins/1/enabled"],
  );
  assert.deepEqual(
    plugins.map(({ name }) => name),
    ["other"],
  );
});

test("no plugin code runs while documents are read", (t) => {
  const folder = makeHostFolder(t, { "plugins.json": entries("loud"), ...pluginFiles("loud", "") });
  writeFileSync(join(folder.path, "plugins/loud/index.js"), "globalThis.loudWasRun = true;");
  mkdirSync(join(folder.path, "empty"));
  assert.deepEqual(readListed(folder.configurationFile).faults, []);
  assert.equal("loudWasRun" in globalThis, false);
});
