import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { PlannedStep } from "../../host/planning/plan-run.ts";
import { listen } from "../support/listen.ts";
import { gantry } from "./gantry.ts";

const publish = (payload: unknown, more: object = {}) => ({
  uses: "mqtt/publish",
  with: { topic: "t", payload },
  ...more,
});

const workflow = {
  name: "planned",
  inputs: {
    type: "object",
    required: ["names"],
    properties: {
      names: { type: "array" },
      loud: { type: "boolean", default: false },
      token: { type: "string", writeOnly: true },
    },
  },
  vars: { topic: "lamps/${{ inputs.names[0] }}", run: "${{ run.id }}" },
  steps: [
    { uses: "script/run", with: { command: ["echo", "${{ vars.topic }}"], directory: "${{ run.directory }}" } },
    {
      id: "all",
      forEach: "${{ inputs.names }}",
      as: "name",
      steps: [{ id: "p", uses: "mqtt/publish", with: { topic: "${{ name }}", payload: 1 } }],
    },
    publish(1, { if: "${{ inputs.loud }}" }),
    { id: "ask", uses: "mqtt/request", with: { topic: "q", payload: 1 }, undo: publish("no") },
    publish("${{ steps.ask.outputs.payload }}", { if: "${{ steps.ask.status == 'succeeded' }}" }),
    { uses: "workflow:inner", with: { topic: "deep", made: "${{ vars.run }}" } },
    { uses: "script/run", with: { command: ["login", "${{ inputs.token }}"], directory: "/" } },
    { uses: "script/run", with: { command: "${{ steps.ask.outputs.payload }}", directory: "/" } },
  ],
  onFailure: [publish("${{ error.code }}")],
  finally: [{ uses: "host/signal", with: { name: "done" } }],
};
const inner = {
  name: "inner",
  inputs: {
    type: "object",
    properties: { topic: { type: "string" }, made: { type: "string" }, times: { type: "integer", default: 3 } },
    additionalProperties: false,
  },
  steps: [
    { uses: "mqtt/publish", with: { topic: "${{ inputs.topic }}/${{ inputs.times }}", payload: "${{ inputs.made }}" } },
  ],
};

const folder = mkdtempSync(join(tmpdir(), "gantry-plan-test-"));
const data = join(folder, "data");
const write = (name: string, content: unknown) => writeFileSync(join(folder, name), JSON.stringify(content));
const planned = (name: string, input: string, ...more: string[]) =>
  gantry("plan", name, "--config", join(folder, "plugins.json"), "--input", join(folder, input), ...more);
let connections = 0;
let broker: { port: number } & AsyncDisposable;

before(async () => {
  mkdirSync(join(folder, "tmp"));
  process.env.TMPDIR = join(folder, "tmp");
  broker = await listen(
    createServer((socket) => {
      connections += 1;
      socket.destroy();
    }),
  );
  write("plugins.json", {
    workflows: ["./workflows"],
    plugins: [{ plugin: "mqtt", config: { broker: `mqtt://127.0.0.1:${broker.port}` } }, { plugin: "script" }],
  });
  mkdirSync(join(folder, "workflows"));
  write("workflows/planned.json", workflow);
  write("workflows/inner.json", inner);
  write("input", { names: ["one", "two"], token: "hush-hush" });
});
after(async () => {
  await broker[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function steps(name: string, input: string): Promise<PlannedStep[]> {
  const { code, stdout, stderr } = await planned(name, input, "--json");
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as PlannedStep);
}

test("gantry plan says what each step would do, as far as that is known before", async () => {
  const told = await steps("planned", "input");
  assert.deepEqual(
    told.map(({ place, depth, does, outlook, list = "steps" }) => [place, depth, does, outlook, list]),
    [
      ["/steps/0", 0, "script/run", "run", "steps"],
      ["/steps/1", 0, "forEach", "run", "steps"],
      ["/steps/1/steps/0", 1, "mqtt/publish", "run", "steps"],
      ["/steps/1/steps/0", 1, "mqtt/publish", "run", "steps"],
      ["/steps/2", 0, "mqtt/publish", "skip", "steps"],
      ["/steps/3", 0, "mqtt/request", "run", "steps"],
      ["/steps/4", 0, "mqtt/publish", "maybe", "steps"],
      ["/steps/5", 0, "workflow:inner", "run", "steps"],
      ["/steps/5/steps/0", 1, "mqtt/publish", "run", "steps"],
      ["/steps/6", 0, "script/run", "run", "steps"],
      ["/steps/7", 0, "script/run", "run", "steps"],
      ["/onFailure/0", 0, "mqtt/publish", "maybe", "onFailure"],
      ["/finally/0", 0, "host/signal", "run", "finally"],
    ],
  );
  const says = (index: number) => told[index]!.says;
  assert.equal(says(0), "runs echo lamps/one in ${{ run.directory }}", "the step's own words, with the expression");
  assert.match(says(3), /"two"/, "the item");
  assert.match(
    says(6),
    /^if \$\{\{ steps\.ask\.status == 'succeeded' \}\}: .*\$\{\{ steps\.ask\.outputs\.payload \}\}/,
  );
  assert.match(
    says(8),
    /"deep\/3".*\$\{\{ inputs\.made \}\}/,
    "a default of what is called, and what is not known there",
  );
  assert.equal(says(9), "runs login *** in /");
  assert.match(
    says(10),
    /\$\{\{ steps\.ask\.outputs\.payload \}\}/,
    "a list that is not known cannot be told in words",
  );
  assert.equal(says(12), "sends the signal done");
  assert.equal(told[5]!.undo, "mqtt/publish");
});

test("a plan shows no secret, connects to nobody and leaves nothing behind", async () => {
  const { code, stdout, stderr } = await planned("planned", "input");
  assert.equal(code, 0, stderr);
  assert.ok(!`${stdout}${stderr}`.includes("hush-hush"));
  assert.match(stdout, /^• script\/run: runs echo lamps\/one in /);
  assert.match(stdout, /^• ask \(mqtt\/request\): .*; taken back by mqtt\/publish$/m);
  assert.match(stdout, /^\? if it fails: mqtt\/publish/m);
  assert.match(stdout, /^• at the end: host\/signal: sends the signal done$/m);
  assert.equal(connections, 0);
  assert.ok(!existsSync(data), "a data folder was made");
  assert.deepEqual(readdirSync(join(folder, "tmp")), []);
});

test("what a run would refuse, its plan refuses, too, with the same code", async () => {
  write("empty", {});
  write("workflows/needy.json", { name: "needy", requires: { freeDiskBytes: 1e18 }, steps: [] });
  for (const [name, input, code] of [
    ["planned", "empty", "INPUT_INVALID"],
    ["needy", "input", "REQUIREMENT_UNMET"],
    ["unheard", "input", "WORKFLOW_UNKNOWN"],
  ] as const) {
    const ended = await planned(name, input);
    assert.equal(ended.code, 1, name);
    assert.match(ended.stderr, new RegExp(code), name);
  }
});

test("a long loop is told once, a step that would fail says so, and a plan has an end", async () => {
  const list = (length: number) => Array.from({ length }, (_, index) => index);
  write("workflows/long.json", {
    name: "long",
    inputs: { type: "object" },
    steps: [
      { forEach: "${{ inputs.many }}", steps: [publish(1)] },
      { uses: "host/signal", with: { name: "${{ fromJSON(inputs.text) }}" } },
      { uses: "host/signal", with: { name: "${{ inputs.few }}" } },
      ...list(3).reduce<object[]>(
        (inside) => [{ forEach: "${{ inputs.few }}", steps: inside }],
        [publish(2), publish(3)],
      ),
    ],
  });
  write("long", { many: list(21), few: list(20), text: "{" });
  const told = await steps("long", "long");
  assert.equal(told[0]!.says, "for each of 21 items");
  assert.equal(told.filter(({ place }) => place === "/steps/0/steps/0").length, 1);
  assert.match(told[2]!.says, /^would fail: .*\(EXPRESSION_FAILED\)/);
  assert.match(told[3]!.says, /^would fail: .*name/);
  assert.equal(told.length, 5001);
  assert.match(told.at(-1)!.says, /left out/);
});
