import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { PlannedStep } from "../../host/planning/plan-run.ts";
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
    properties: { names: { type: "array" }, loud: { type: "boolean", default: false } },
  },
  vars: { topic: "lamps/${{ inputs.names[0] }}" },
  steps: [
    { uses: "mqtt/publish", with: { topic: "${{ vars.topic }}", payload: 1 } },
    {
      id: "all",
      forEach: "${{ inputs.names }}",
      as: "name",
      steps: [{ id: "p", uses: "mqtt/publish", with: { topic: "${{ name }}", payload: 1 } }],
    },
    publish(1, { if: "${{ inputs.loud }}" }),
    { id: "ask", uses: "mqtt/request", with: { topic: "q", payload: 1 } },
    publish("${{ steps.ask.outputs.payload }}", { if: "${{ steps.ask.status == 'succeeded' }}" }),
    { uses: "workflow:inner", with: { topic: "deep" } },
  ],
};
const inner = {
  name: "inner",
  inputs: { type: "object", properties: { topic: { type: "string" } }, additionalProperties: false },
  steps: [{ uses: "mqtt/publish", with: { topic: "${{ inputs.topic }}", payload: 1 } }],
};

test("gantry plan says what each step would do, as far as that is known before, and changes nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-plan-test-"));
  try {
    const file = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
    file("plugins.json", { workflows: ["./workflows"], plugins: [{ plugin: "mqtt", config: { port: 0 } }] });
    mkdirSync(join(folder, "workflows"));
    file("workflows/planned.json", workflow);
    file("workflows/inner.json", inner);
    file("input", { names: ["one", "two"] });
    const data = join(folder, "data");
    const options = ["--config", join(folder, "plugins.json"), "--data", data, "--input", join(folder, "input")];
    const { code, stdout, stderr } = await gantry("plan", "planned", ...options, "--json");
    assert.deepEqual([code, stderr], [0, ""]);
    const steps = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as PlannedStep);
    assert.deepEqual(
      steps.map(({ place, depth, does, outlook }) => [place, depth, does, outlook]),
      [
        ["/steps/0", 0, "mqtt/publish", "run"],
        ["/steps/1", 0, "forEach", "run"],
        ["/steps/1/steps/0", 1, "mqtt/publish", "run"],
        ["/steps/1/steps/0", 1, "mqtt/publish", "run"],
        ["/steps/2", 0, "mqtt/publish", "skip"],
        ["/steps/3", 0, "mqtt/request", "run"],
        ["/steps/4", 0, "mqtt/publish", "maybe"],
        ["/steps/5", 0, "workflow:inner", "run"],
        ["/steps/5/steps/0", 1, "mqtt/publish", "run"],
      ],
    );
    assert.match(steps[0]!.says, /lamps\/one/);
    assert.match(steps[3]!.says, /two/);
    assert.match(steps[6]!.says, /^if \$\{\{ steps\.ask\.status == 'succeeded' \}\}: .*known only when/);
    assert.match(steps[8]!.says, /deep/);
    assert.ok(!existsSync(data), "a data folder was made");
    const wrong = await gantry("plan", "planned", ...options.slice(0, 4));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /INPUT_INVALID/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
