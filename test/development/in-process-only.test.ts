// `gantry dev` with a plugin that can run in the host's process only, beside one that has a process of its own.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DevProcess } from "./dev-process.ts";

const manifest = (name: string, more: object = {}) => ({
  ...{ name, version: "1.0.0", host: "^1.0.0", main: "index.ts" },
  steps: {
    tell: { description: "Tells.", input: { type: "object" }, output: { type: "object", properties: { told: {} } } },
  },
  ...more,
});

const code = (told: string) => `import { definePlugin } from "gantry";
export default definePlugin({ setup: () => ({ steps: { tell: { async run() { return { told: ${told} }; } } } }) });
`;
const workflow = (name: string, uses: string) => ({
  name,
  steps: [{ id: "it", uses }],
  outputs: "${{ steps.it.outputs.told }}",
});

let dev: DevProcess;

before(async () => {
  dev = new DevProcess();
  dev.write("plugins.json", {
    workflows: ["./workflows"],
    plugins: [{ plugin: "./plugins/fixed", isolation: "in-process" }, { plugin: "./plugins/loose" }],
  });
  for (const [name, more] of [["fixed", { inProcessOnly: "it maps memory" }] as const, ["loose", {}] as const]) {
    dev.write(`plugins/${name}/package.json`, { type: "module" });
    dev.write(`plugins/${name}/plugin.json`, manifest(name, more));
    dev.write(`plugins/${name}/index.ts`, code("[1, process.pid]"));
    dev.write(`workflows/${name}.json`, workflow(name, `${name}/tell`));
  }
  dev.start();
  await dev.until({ event: "watching" });
});
after(() => dev[Symbol.asyncDispose]());

const told = async (name: string) => (await dev.run(name)).output as [number, number];

test("it runs in the process of gantry dev, and the other one does not", async () => {
  const [fixed, loose] = [await told("fixed"), await told("loose")];
  assert.deepEqual([fixed[0], loose[0]], [1, 1]);
  assert.equal(fixed[1], dev.pid);
  assert.notEqual(loose[1], dev.pid);
});

test("a change of it is told, with what to do, and what was there works on", async () => {
  dev.write("plugins/fixed/index.ts", code("[2, process.pid]"));
  const failed = await dev.until({ event: "failed", plugin: "fixed" });
  assert.equal(failed.code, "PLUGIN_IN_USE");
  assert.match(failed.remedy ?? "", /Ctrl-C/);
  await dev.until({ event: "kept", what: "fixed" });
  assert.deepEqual(await told("fixed"), [1, dev.pid]);
});

test("changes of other plugins and of workflows are taken up all the same, and it is not told again", async () => {
  const before = dev.told.length;
  dev.write("plugins/loose/index.ts", code("[3, process.pid]"));
  await dev.until({ event: "replaced", plugin: "loose" });
  assert.equal((await told("loose"))[0], 3);
  dev.write("workflows/more.json", workflow("more", "fixed/tell"));
  await dev.until({ event: "workflows", active: ["fixed", "loose", "more"] });
  assert.equal((await told("more"))[0], 1);
  assert.deepEqual(
    dev.told.slice(before).filter(({ event }) => event === "failed"),
    [],
  );
});

test("the next gantry dev has the change", async () => {
  assert.equal(await dev.stop(), 0);
  dev.start();
  await dev.until({ event: "watching" });
  assert.deepEqual(await told("fixed"), [2, dev.pid]);
});
