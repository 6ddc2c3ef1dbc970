// Manifests are read before anybody has accepted a plugin, so what stands in them must not hold up who reads them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeHostFolder } from "../loading/host-folder.ts";

const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

const endless = { type: "string", pattern: "^(a+)+$" };
const text = `${"a".repeat(100)}!`;
const module = "export default { setup: () => ({ steps: { take: { run: () => ({}) } } }) };";
const manifest = (name: string, more: object) => ({
  name,
  version: "1.0.0",
  host: "^1.0.0",
  main: "index.js",
  ...more,
});

const plugins: Record<string, object> = {
  "its configuration": { config: { type: "object", properties: { text: { ...endless, default: text } } } },
  "the input of its step": {
    steps: {
      take: {
        description: "It takes.",
        input: { type: "object", additionalProperties: false, properties: { text: endless } },
      },
    },
  },
  "the settings of its trigger": {
    triggers: {
      come: {
        description: "It comes.",
        command: ["text"],
        with: { type: "object", additionalProperties: false, properties: { text: endless } },
      },
    },
  },
};

const workflow = {
  name: "slow",
  on: [{ trigger: "slow/come", with: { text } }],
  steps: [{ uses: "slow/take", with: { text } }],
};

for (const [what, contributed] of Object.entries(plugins))
  test(`a schema that takes for ever is told as a fault of ${what}`, (t) => {
    const { on, steps, ...rest } = workflow;
    const used = {
      ...rest,
      ...("triggers" in contributed ? { on } : {}),
      steps: "steps" in contributed ? steps : [{ uses: "host/wait", with: { duration: "1s" } }],
    };
    const folder = makeHostFolder(t, {
      "plugins.json": { workflows: ["./workflows"], plugins: [{ plugin: "./plugins/slow" }] },
      "plugins/slow/plugin.json": manifest("slow", contributed),
      "plugins/slow/index.js": module,
      "workflows/slow.json": used,
    });
    // One that does not end is ended.
    const { status, stdout } = spawnSync(
      process.execPath,
      [main, "validate", "--config", folder.configurationFile, "--json"],
      { timeout: 60_000, encoding: "utf8" },
    );
    assert.equal(status, 1);
    assert.match(stdout, /cannot be held against its schema within 500 ms/);
  });
