// What the author of a plugin sees of `gantry dev`: one session, from the first change to Ctrl-C.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gantry } from "../commands/gantry.ts";
import { DevProcess } from "./dev-process.ts";

const times = { type: "integer", description: "How often." };
const manifest = (properties: object = { times }, steps: object = {}) => ({
  name: "lamp",
  version: "1.0.0",
  host: "^1.0.0",
  main: "index.ts",
  steps: {
    blink: {
      description: "Blinks.",
      input: { type: "object", additionalProperties: false, properties },
      output: { type: "object" },
    },
    ...steps,
  },
});

/** `line` is the body of the step, on the fourth line. */
const code = (line: string, more = "") => `import { definePlugin } from "gantry";
export default definePlugin({ setup() { return { steps: {
  blink: { async run(input: { times: number }) {
    ${line}
  } }, ${more}
} }; } });
`;
const workflow = (name: string, uses: string) => ({
  name,
  steps: [{ id: "it", uses, with: { times: 2 } }],
  outputs: "${{ steps.it.outputs.blinked }}",
});

let dev: DevProcess;

before(async () => {
  dev = new DevProcess();
  dev.write("plugins.json", { workflows: ["./workflows"], plugins: [{ plugin: "./plugins/lamp" }] });
  dev.write("workflows/it.json", workflow("it", "lamp/blink"));
  dev.write("plugins/lamp/package.json", { type: "module" });
  dev.write("plugins/lamp/plugin.json", manifest());
  dev.write("plugins/lamp/index.ts", code("return { blinked: input.times };"));
  const types = await gantry("plugin", "types", join(dev.folder, "plugins/lamp"));
  assert.equal(types.code, 0, types.stderr);
  // It is accepted as it is now.
  const run = await gantry("run", "it", "--config", join(dev.folder, "plugins.json"));
  assert.equal(run.code, 0, run.stdout + run.stderr);
  dev.start();
  await dev.until({ event: "watching" });
});
after(() => dev[Symbol.asyncDispose]());

const writeCode = (line: string, more?: string) => dev.write("plugins/lamp/index.ts", code(line, more));

test("a change is taken up, and the step runs again with its last input", async () => {
  assert.equal((await dev.run("it")).output, 2);
  writeCode("return { blinked: input.times * 10 };");
  await dev.until({ event: "replaced", plugin: "lamp", begunAgain: 0 });
  await dev.until({ event: "again", uses: "lamp/blink" });
  const { status, output } = await dev.until({ event: "ended", uses: "lamp/blink" });
  assert.deepEqual([status, output], ["succeeded", { blinked: 20 }]);
  assert.equal((await dev.run("it")).output, 20);
});

test("what cannot be read as code is told with its place, and what was there works on", async () => {
  writeCode("return { blinked: };");
  const failed = await dev.until({ event: "failed", plugin: "lamp", code: "PLUGIN_START_FAILED" });
  assert.match(failed.place ?? "", /plugins\/lamp\/index\.ts:4$/);
  await dev.until({ event: "kept", what: "lamp" });
  assert.equal((await dev.run("it")).output, 20);
  writeCode("return { blinked: 3 };");
  await dev.until({ event: "replaced" });
  assert.deepEqual((await dev.until({ event: "ended" })).output, { blinked: 3 });
});

test("the same holds for JavaScript, whose mistakes Node does not place by itself", async () => {
  dev.write("plugins/lamp/wrong.js", "export const fine = 1;\nexport const wrong = ;\n");
  dev.write("plugins/lamp/index.ts", `import "./wrong.js";\n${code("return { blinked: 4 };")}`);
  const failed = await dev.until({ event: "failed", plugin: "lamp" });
  assert.match(failed.place ?? "", /plugins\/lamp\/wrong\.js:2$/);
  await dev.until({ event: "kept" });
});

test("a step that throws is told with the place of its mistake", async () => {
  writeCode("return { blinked: (undefined as unknown as number[])[input.times] };");
  await dev.until({ event: "replaced" });
  const { status, error } = await dev.until({ event: "ended" });
  assert.deepEqual([status, error?.code], ["failed", "STEP_FAILED"]);
  assert.match(error?.place ?? "", /plugins\/lamp\/index\.ts:4:\d+$/);
});

test("where the new version does not start, steps wait for the one after it", async () => {
  dev.write("plugins/lamp/index.ts", 'export default { setup() { throw new Error("no lamp"); } };\n');
  const failed = await dev.until({ event: "failed", plugin: "lamp", code: "PLUGIN_START_FAILED" });
  assert.match(failed.message ?? "", /^no lamp, at .*index\.ts:1:\d+$/);
  const run = await dev.begin("it");
  writeCode("return { blinked: 5 };");
  await dev.until({ event: "replaced" });
  assert.equal((await dev.ended(run)).output, 5);
});

test("a changed manifest is taken up with its code; its types are written again", async () => {
  dev.write(
    "plugins/lamp/plugin.json",
    manifest(
      { times, colour: { type: "string", default: "red" } },
      { glow: { description: "Glows.", input: { type: "object", properties: { times } }, output: { type: "object" } } },
    ),
  );
  // The code does not have the new step yet.
  const { code: why } = await dev.until({ event: "failed", plugin: "lamp" });
  assert.equal(why, "PLUGIN_CONTRACT_BROKEN");
  writeCode("return { blinked: 6 };", "glow: { run: async () => ({ blinked: 7 }) },");
  await dev.until({ event: "replaced" });
  assert.match(dev.read("plugins/lamp/plugin.types.ts"), /colour: string;/);
  dev.write("workflows/glow.json", workflow("glow", "lamp/glow"));
  await dev.until({ event: "workflows", active: ["glow", "it"] });
  assert.equal((await dev.run("glow")).output, 7);
});

test("faults of a manifest and of a workflow are told, and the rest goes on", async () => {
  dev.write("plugins/lamp/plugin.json", { ...manifest(), steps: { blink: { description: "Blinks." } } });
  await dev.until({ event: "fault", code: "KEY_MISSING" });
  await dev.until({ event: "kept" });
  assert.equal((await dev.run("glow")).output, 7);
  dev.write("workflows/glow.json", workflow("glow", "lamp/glos"));
  dev.write("plugins/lamp/plugin.json", manifest());
  writeCode("return { blinked: 8 };");
  await dev.until({ event: "fault", code: "STEP_NOT_FOUND" });
  await dev.until({ event: "workflows", active: ["it"] });
  assert.equal((await dev.run("it")).output, 8);
});

test("another configuration of Gantry's own plugins gives another host", async () => {
  dev.write("plugins.json", {
    workflows: ["./workflows"],
    plugins: [{ plugin: "./plugins/lamp" }, { plugin: "script" }],
  });
  await dev.until({ event: "restarting" });
  await dev.until({ event: "ready" });
});

test("Ctrl-C ends it, and what it took up is accepted by no other host", async () => {
  assert.equal(await dev.stop(), 0);
  const refused = await gantry("run", "it", "--config", join(dev.folder, "plugins.json"));
  assert.equal(refused.code, 1);
  assert.match(refused.stdout + refused.stderr, /PLUGIN_CHANGED/);
});
