// A plugin is replaced while ten runs use it. What they do is counted by a server outside, which also decides when a step
// may go on.

import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { waitFor } from "../../host/testing/wait-for.ts";
import { DevProcess } from "./dev-process.ts";

const runs = 10;

interface Effect {
  key: string;
  version: string;
}

let effects: Effect[] = [];
let held: ServerResponse[] = [];
let holds = false;
const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url!, "http://localhost");
  effects.push({ key: searchParams.get("key")!, version: searchParams.get("version")! });
  if (holds) held.push(response);
  else response.end();
});
before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => {
  server.closeAllConnections();
  server.close();
});

function letGo(): void {
  holds = false;
  for (const response of held) response.end();
  held = [];
}

const manifest = {
  name: "meter",
  version: "1.0.0",
  host: "^1.0.0",
  main: "index.js",
  permissions: { network: ["127.0.0.1"] },
  steps: { count: { description: "Counts once.", input: { type: "object", additionalProperties: false } } },
};

/** A step that has an effect outside, and waits for the server; `more` may end it earlier, or begin otherwise. */
const code = (version: string, more = "") => `import { definePlugin } from "gantry";
export default definePlugin({ setup: () => ({ steps: { count: { async run(_, context) {
  ${more}
  const query = new URLSearchParams({ key: context.idempotencyKey, version: "${version}" });
  await context.fetch(\`http://127.0.0.1:${(server.address() as AddressInfo).port}/?\${query}\`);
  return {};
} } } }) });
`;

async function startMeter(text: string, ...options: string[]): Promise<DevProcess> {
  effects = [];
  held = [];
  holds = true;
  const dev = new DevProcess();
  dev.write("plugins.json", { workflows: ["./workflows"], plugins: [{ plugin: "./meter" }] });
  dev.write("workflows/twice.json", { name: "twice", steps: [{ uses: "meter/count" }, { uses: "meter/count" }] });
  dev.write("meter/plugin.json", manifest);
  dev.write("meter/package.json", { type: "module" });
  dev.write("meter/index.js", text);
  dev.start("--no-repeat", ...options);
  await dev.until({ event: "watching" });
  return dev;
}

const beginAll = (dev: DevProcess) => Promise.all(Array.from({ length: runs }, () => dev.begin("twice")));

/** By version, once each key has been seen to be there once only. */
function countOnce(): Record<string, number> {
  assert.equal(new Set(effects.map(({ key }) => key)).size, effects.length, "something was done twice");
  return Object.fromEntries(
    Object.entries(Object.groupBy(effects, ({ version }) => version)).map(([version, all]) => [version, all!.length]),
  );
}

test("ten runs whose plugin is replaced while their steps are under way end with the new one, each step done once", async () => {
  await using dev = await startMeter(code("old"), "--patience", "5m");
  const ids = await beginAll(dev);
  await waitFor("all to be at it", () => effects.length === runs);
  dev.write("meter/index.js", code("new"));
  await dev.until({ event: "replacing", plugin: "meter" });
  // None of the second steps begins before the new one is there.
  letGo();
  const { begunAgain } = await dev.until({ event: "replaced", plugin: "meter" });
  const ended = await Promise.all(ids.map((id) => dev.ended(id)));
  assert.deepEqual(new Set(ended.map(({ status }) => status)), new Set(["succeeded"]));
  assert.equal(begunAgain, 0);
  assert.deepEqual(countOnce(), { old: runs, new: runs });
});

test("steps that do not end in time begin again with the new plugin, from their checkpoints", async () => {
  // Says so before it acts, and does not act again where it has said so.
  const once = "if (context.lastCheckpoint === 'sent') return {}; await context.checkpoint('sent');";
  await using dev = await startMeter(code("old", once), "--patience", "100ms");
  const ids = await beginAll(dev);
  await waitFor("all to be at it", () => effects.length === runs);
  holds = false;
  dev.write("meter/index.js", code("new", once));
  const { begunAgain } = await dev.until({ event: "replaced", plugin: "meter" });
  const ended = await Promise.all(ids.map((id) => dev.ended(id)));
  assert.deepEqual(new Set(ended.map(({ status }) => status)), new Set(["succeeded"]));
  assert.equal(begunAgain, runs);
  assert.deepEqual(countOnce(), { old: runs, new: runs });
});
