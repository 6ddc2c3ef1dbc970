// What only shows when several documents are looked at together, and for a single file what lies beside it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Fault } from "../../host/documents/fault.ts";
import { loadWorkflow } from "../../host/loading/load-workflow.ts";
import { type HostDocuments, readHost } from "../../host/loading/read-host.ts";
import { makeHostFolder, pluginFiles } from "../loading/host-folder.ts";

const on = [{ trigger: "host/startup" }];
const calls = (name: string, input?: object) => ({ uses: `workflow:${name}`, ...(input && { with: input }) });
const told = (faults: readonly Fault[]) =>
  faults.map(({ code, pointer, severity }) => `${severity === "note" ? "note " : ""}${code} ${pointer}`);

/** A host whose configured folder holds these documents, each named as its key. */
function host(t: TestContext, configured: Record<string, object>, files: Record<string, unknown> = {}) {
  const documents = Object.entries(configured).map(([name, more]) => [`workflows/${name}.json`, { name, ...more }]);
  const folder = makeHostFolder(t, {
    "plugins.json": { workflows: ["./workflows"], plugins: [{ plugin: "mqtt" }] },
    ...Object.fromEntries(documents),
    ...files,
  });
  return { folder, documents: readHost(folder.configurationFile) };
}

function load({ catalogue, callable }: HostDocuments, file: string) {
  return loadWorkflow(file, catalogue, { named: true, callable });
}

test("a file that is named may call what lies in the configured folders, and what lies beside it", (t) => {
  const { folder, documents } = host(
    t,
    { known: { steps: [calls("deeper")] }, deeper: { steps: [] } },
    {
      "other/outer.json": { name: "outer", steps: [calls("known"), calls("beside")] },
      "other/whatever.json": { name: "beside", steps: [calls("further")] },
      "other/further.json": { name: "further", steps: [] },
      "other/no-json.json": "{",
    },
  );
  const { workflow, faults } = load(documents, join(folder.path, "other/outer.json"));
  assert.deepEqual(faults, []);
  assert.deepEqual([...workflow!.calls.keys()].sort(), ["beside", "deeper", "further", "known"]);
});

test("a file that calls a broken one cannot be used, and the mistake is told where it is", (t) => {
  const { folder, documents } = host(
    t,
    {},
    {
      "other/outer.json": { name: "outer", steps: [calls("inner")] },
      "other/inner.json": { name: "inner", steps: [{ uses: "no/such" }] },
    },
  );
  const { workflow, faults } = load(documents, join(folder.path, "other/outer.json"));
  assert.equal(workflow, undefined);
  assert.deepEqual(
    faults.map(({ file, code }) => [file, code]),
    [[join(folder.path, "other/inner.json"), "STEP_NOT_FOUND"]],
  );
});

test("a file that calls one that cannot even be read is told where that is, and nothing else", (t) => {
  const broken = {
    "other/outer.json": { name: "outer", steps: [calls("inner", { n: 1 }), calls("further")] },
    "other/some.json": '{ "name": "inner", "steps": [], }',
    "other/further.json": '{ "steps": [',
  };
  const { folder, documents } = host(t, {}, broken);
  const { workflow, faults } = load(documents, join(folder.path, "other/outer.json"));
  assert.equal(workflow, undefined);
  assert.deepEqual(
    faults.map(({ file, code }) => [file, code]).sort(),
    ["further", "some"].map((name) => [join(folder.path, `other/${name}.json`), "SYNTAX"]),
  );
  const inFolder = host(t, { outer: { on, steps: [calls("inner")] } }, { "workflows/inner.json": "{ name: 'inner' }" });
  assert.deepEqual(told(inFolder.documents.faults), ["SYNTAX "]);
  assert.deepEqual(inFolder.documents.workflows, []);
  assert.deepEqual(
    inFolder.documents.brokenWorkflows.map(({ name, faults: why }) => [name, ...why]),
    [["outer", "the workflow inner, which it calls, has faults"]],
  );
});

test("the mistakes of a file and of what it calls are told together", (t) => {
  const { folder, documents } = host(
    t,
    {},
    {
      "other/outer.json": { name: "outer", steps: [calls("inner"), { uses: "no/such" }, calls("outer")] },
      "other/inner.json": { name: "inner", steps: [{ uses: "nor/this" }, calls("outer")] },
    },
  );
  const { workflow, faults } = load(documents, join(folder.path, "other/outer.json"));
  assert.equal(workflow, undefined);
  assert.deepEqual(told(faults), ["STEP_NOT_FOUND /steps/1/uses", "STEP_NOT_FOUND /steps/0/uses"]);
});

test("a file that leads back to itself is told so in words", (t) => {
  const { folder, documents } = host(
    t,
    {},
    {
      "other/a.json": { name: "a", steps: [{ parallel: [[], [calls("b")]] }] },
      "other/b.json": { name: "b", steps: [], finally: [calls("a")] },
    },
  );
  const { workflow, faults } = load(documents, join(folder.path, "other/a.json"));
  assert.equal(workflow, undefined);
  assert.deepEqual(told(faults), ["WORKFLOW_CIRCLE /name"]);
  assert.match(faults[0]!.message, /a → b → a/);
});

test("a broken `inputs` is a fault of its own document, and none of those that call it", (t) => {
  const { documents } = host(t, {
    outer: { on, steps: [calls("inner", { a: 1 })] },
    inner: { inputs: { type: "objekt" }, steps: [] },
  });
  assert.deepEqual(told(documents.faults), ["SCHEMA_INVALID /inputs/type"]);
});

test("workflows that call each other many times over are linked all the same", (t) => {
  const depth = 40;
  const workflows = Object.fromEntries(
    Array.from({ length: depth }, (_, at) => [`w${at}`, { steps: [calls(`w${at + 1}`), calls(`w${at + 1}`)] }]),
  );
  const { documents } = host(t, { ...workflows, [`w${depth}`]: { steps: [] } });
  assert.deepEqual(documents.faults, []);
  assert.equal(documents.callable.get("w0")!.calls.size, depth);
});

test("what holds for runs of their own only is noted in a workflow that others call", (t) => {
  const own = {
    enabled: true,
    concurrency: { group: "a" },
    requires: { host: "*" },
    window: { from: "01:00", to: "02:00" },
    limits: { bytesPerSecond: 1 },
  };
  const { documents } = host(t, {
    outer: { on, ...own, steps: [calls("inner")] },
    inner: { ...own, steps: [] },
    alone: { ...own, steps: [] },
  });
  assert.deepEqual(
    told(documents.faults),
    Object.keys(own).map((member) => `note MEMBER_WITHOUT_EFFECT /${member}`),
  );
  assert.equal(documents.workflows.length + documents.inactiveWorkflows.length, 3);
});

test("a signal that nothing sends or awaits is noted, with the name that was probably meant", (t) => {
  const signal = (name: string) => ({ uses: "host/signal", with: { name } });
  const wait = (name: string) => ({ uses: "host/wait", with: { for: name } });
  const { documents } = host(t, {
    sends: { on, steps: [signal("approve"), signal("job 7 done"), signal("nobody"), signal("halt"), signal("undone")] },
    awaits: {
      on,
      abortOn: "halt",
      steps: [
        wait("aprove"),
        wait("job ${{ run.id }} done"),
        { forEach: [1], abortOn: "never", steps: [wait("${{ run.id }}x")] },
        { ...signal("x ${{ run.id }}"), undo: signal("y") },
        wait("x y"),
        wait("y"),
        wait("undone"),
      ],
    },
  });
  assert.deepEqual(
    documents.faults.map(({ code, pointer, suggestion, severity }) => [code, pointer, suggestion, severity]),
    [
      ["SIGNAL_UNMATCHED", "/steps/0/with/for", "approve", "note"],
      ["SIGNAL_UNMATCHED", "/steps/2/abortOn", undefined, "note"],
      ["SIGNAL_UNMATCHED", "/steps/0/with/name", "aprove", "note"],
      ["SIGNAL_UNMATCHED", "/steps/2/with/name", undefined, "note"],
    ],
  );
});

test("an answer after a step needs a step of that id in the workflow's own list", (t) => {
  const command = (after: string) => [{ trigger: "desk/command", with: { answer: { after } } }];
  const steps = [
    { id: "stage", steps: [] },
    { id: "outer", steps: [{ id: "inner", steps: [] }] },
  ];
  const withAnswer = { type: "object", properties: { feature: {}, answer: {} } };
  const { documents } = host(
    t,
    {
      good: { on: command("stage"), steps },
      misspelt: { on: command("satge"), steps, enabled: false },
      within: { on: command("inner"), steps, enabled: false },
    },
    {
      ...pluginFiles("desk", "", {
        triggers: { command: { description: "A command.", with: withAnswer, input: {}, command: ["feature"] } },
      }),
      "plugins.json": { workflows: ["./workflows"], plugins: [{ plugin: "./plugins/desk" }] },
    },
  );
  assert.deepEqual(
    documents.faults.map(({ code, pointer, suggestion }) => [code, pointer, suggestion]),
    [
      ["REFERENCE_UNKNOWN", "/on/0/with/answer/after", "stage"],
      ["REFERENCE_UNKNOWN", "/on/0/with/answer/after", undefined],
    ],
  );
});

test("two active workflows on one command are a fault, however its settings are written", (t) => {
  const settings = {
    type: "object",
    properties: {
      feature: { type: "string" },
      operation: { default: "install" },
      answer: { default: "when-accepted" },
    },
  };
  const trigger = (more: object) => [{ trigger: "desk/command", with: more }];
  const { documents } = host(
    t,
    {
      a: { on: trigger({ feature: "f" }), steps: [] },
      b: {
        on: trigger({ answer: "when-finished", answerOutput: false, operation: "install", feature: "f" }),
        steps: [],
      },
      c: { on: trigger({ feature: "f" }), enabled: false, steps: [] },
      d: { on: trigger({ feature: "other" }), steps: [] },
      e: { on: [{ trigger: "desk/said", with: { feature: "f" } }], steps: [] },
      f: { on: [{ trigger: "desk/said", with: { feature: "f" } }], steps: [] },
      g: { on: trigger({ feature: "${{ config.desk.desk }}" }), steps: [] },
      h: { on: trigger({ feature: "${{ device.deviceId }}" }), steps: [] },
    },
    {
      ...pluginFiles("desk", "", {
        triggers: {
          command: { description: "A command.", with: settings, input: {}, command: ["feature", "operation"] },
          said: { description: "Something was said.", with: settings, input: {} },
        },
        config: { type: "object", properties: { desk: { type: "string", default: "other" } } },
      }),
      "plugins.json": { workflows: ["./workflows"], plugins: [{ plugin: "./plugins/desk" }] },
    },
  );
  assert.deepEqual(told(documents.faults), ["TRIGGER_DUPLICATE /on/0", "TRIGGER_DUPLICATE /on/0"]);
  assert.match(documents.faults[0]!.message, /^a is already started by this command$/);
  assert.match(documents.faults[1]!.message, /^d is already started by this command$/);
  assert.deepEqual(documents.workflows.map(({ name }) => name).sort(), ["a", "d", "e", "f", "h"]);
});

test("members of a plugin's configuration are those of its manifest, and secrets are none that expressions see", (t) => {
  const config = {
    type: "object",
    properties: { topic: { type: "string" }, retries: { type: "integer", default: 3 }, password: { type: "string" } },
  };
  const step = { description: "Says.", input: { type: "object", properties: { text: { type: "string" } } } };
  const { documents } = host(
    t,
    {
      reads: {
        steps: [
          { uses: "desk/say", with: { text: "${{ config.desk.topic }}" } },
          { uses: "desk/say", with: { text: "${{ config.desk.topc }}" } },
          { uses: "desk/say", with: { text: "${{ config.desk.password }}" } },
          { uses: "desk/say", retry: { retries: "${{ config.desk.retries }}" } },
          { uses: "desk/say", retry: { retries: "${{ config.desk.topic }}" } },
          { uses: "desk/say", with: { text: "${{ config.mqtt.broker }} ${{ config.mqtt.nothing }}" } },
        ],
      },
    },
    {
      ...pluginFiles("desk", "", { config, steps: { say: step } }),
      "plugins.json": {
        workflows: ["./workflows"],
        plugins: [{ plugin: "./plugins/desk", config: { password: { $secret: "DESK" } } }, { plugin: "mqtt" }],
      },
    },
  );
  assert.deepEqual(
    documents.faults.map(({ code, pointer, suggestion }) => [code, pointer, suggestion]),
    [
      ["REFERENCE_UNKNOWN", "/steps/1/with/text", "topic"],
      ["REFERENCE_UNKNOWN", "/steps/2/with/text", undefined],
      ["VALUE_WRONG", "/steps/4/retry/retries", undefined],
      ["REFERENCE_UNKNOWN", "/steps/5/with/text", undefined],
    ],
  );
  assert.match(documents.faults[1]!.message, /config\.desk\.password` is a secret/);
});
