// A plugin is replaced while others use it: what stands at it goes on at the new one, and nobody meets a gap.

import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ActivateOptions } from "../../host/loading/active-plugins.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { makeHostFolder } from "../loading/host-folder.ts";
import { activateFolder, type RunningPlugins } from "../loading/running-plugins.ts";
import { recordingLog } from "../support/recording-log.ts";
import { stepContext } from "../support/step-context.ts";

/** Says which version it is; its stop waits for a file `go` in its own folder, if it is told to. */
const provider = (version: string, { stopWaits = false } = {}) => `import { definePlugin } from "gantry";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
export default definePlugin({ setup({ directory }) {
  const listeners = new Set();
  return {
    services: { provider: {
      version: async () => "${version}",
      tell: async () => { for (const listener of listeners) await listener("${version}"); },
      items: async (_, listener) => { listeners.add(listener); return () => listeners.delete(listener); },
    } },
    triggers: { told: { start: (_, emit) => { const listener = (input) => emit({ input }); listeners.add(listener); return () => listeners.delete(listener); } } },
    async stop() {
      if (!${stopWaits}) return;
      writeFileSync(join(directory, "stopping"), "");
      while (!existsSync(join(directory, "go"))) await sleep(5);
    },
  };
} });
`;
/** A step that asks the provider once the test has let it. */
const user = (version = "old") => `import { definePlugin } from "gantry";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
export default definePlugin({ setup: ({ services, directory }) => ({ steps: { ask: { async run({ waits }) {
  writeFileSync(join(directory, "begun"), "");
  while (waits && !existsSync(join(directory, "go"))) await sleep(5);
  return { by: "${version}", version: await services.provider.version() };
} } } }) });
`;
const manifests = {
  provider: {
    provides: { provider: { methods: { version: {}, tell: {} }, streams: { items: {} } } },
    triggers: { told: { description: "It was told." } },
  },
  user: { requires: ["provider"], steps: { ask: { description: "Asks.", input: { type: "object" } } } },
};

async function start(
  t: TestContext,
  codes: { provider: string; user?: string },
  { isolation, ...options }: Partial<ActivateOptions> & { isolation?: string } = {},
) {
  const files: Record<string, unknown> = {};
  for (const [name, code] of Object.entries(codes)) {
    const about = { name, version: "1.0.0", host: "^1.0.0", main: "index.js" };
    files[`plugins/${name}/plugin.json`] = { ...about, ...manifests[name as keyof typeof manifests] };
    files[`plugins/${name}/package.json`] = { type: "module" };
    files[`plugins/${name}/index.js`] = code;
  }
  const entries = Object.keys(codes).map((name) => ({ plugin: `./plugins/${name}`, ...(isolation && { isolation }) }));
  const folder = makeHostFolder(t, { "plugins.json": { plugins: entries }, ...files });
  const plugins = await activateFolder(t, folder, { start: undefined as never, development: true, ...options });
  const own = (name: string, file: string) => join(plugins.dataDirectory, "plugins", name, file);
  return {
    plugins,
    write: (name: string, code: string) => writeFileSync(join(folder.path, "plugins", name, "index.js"), code),
    letGo: (name: string) => writeFileSync(own(name, "go"), ""),
    until: (name: string, file: string) => waitFor(`${file} of ${name}`, () => existsSync(own(name, file))),
  };
}

const versionOf = (plugins: RunningPlugins) => plugins.services.provider!.version!() as Promise<string>;

test("who calls a service while its plugin is replaced is answered by the new one", async (t) => {
  const { plugins, write, letGo, until } = await start(t, { provider: provider("old", { stopWaits: true }) });
  write("provider", provider("new"));
  const replaced = plugins.restart("provider");
  await until("provider", "stopping");
  const asked = Array.from({ length: 10 }, () => versionOf(plugins));
  letGo("provider");
  assert.deepEqual(
    await Promise.all(asked),
    Array.from({ length: 10 }, () => "new"),
  );
  assert.equal((await replaced)?.state, "active");
});

test("subscriptions and triggers go on at the new one, once each", async (t) => {
  const { plugins, write } = await start(t, { provider: provider("old") });
  const heard: unknown[] = [];
  const emitted: unknown[] = [];
  await plugins.services.provider!.items!({}, async (item: unknown) => void heard.push(item));
  const about = { workflow: "w", index: 0, log: recordingLog([]) };
  await plugins.startTrigger("provider/told", {}, async ({ input }) => ({ runId: String(emitted.push(input)) }), about);
  await plugins.services.provider!.tell!();
  write("provider", provider("new"));
  await plugins.restart("provider");
  await waitFor("both to stand there", async () => {
    heard.length = emitted.length = 0;
    await plugins.services.provider!.tell!();
    return heard.length > 0 && emitted.length > 0;
  });
  assert.deepEqual([heard, emitted], [["new"], ["new"]]);
});

test("those that share a process are replaced together, and none goes on with the old code", async (t) => {
  const codes = { provider: provider("old"), user: user("old") };
  const { plugins, write } = await start(t, codes, { isolation: "bench" });
  write("provider", provider("new"));
  write("user", user("new"));
  await plugins.restart("provider");
  using context = stepContext({ services: plugins.services });
  const step = await plugins.stepWhenReady("user/ask");
  assert.deepEqual(await step.implementation.run({}, context), { by: "new", version: "new" });
});

test("a step under way can use a service to its end, though both plugins are to be replaced", async (t) => {
  const patience = { drainMs: 60_000, graceMs: 60_000 };
  const { plugins, until, letGo } = await start(t, { provider: provider("old"), user: user() }, { patience });
  using context = stepContext({ services: plugins.services });
  const asked = plugins.findStep("user/ask").implementation.run({ waits: true }, context);
  await until("user", "begun");
  const quiet = plugins.quieten();
  letGo("user");
  assert.deepEqual(await asked, { by: "old", version: "old" });
  await quiet;
});

test("a step in the host's process that does not end in time goes on, and its result counts", async (t) => {
  const options = { isolation: "in-process", patience: { drainMs: 1, graceMs: 1 } };
  const { plugins, until, letGo } = await start(t, { provider: provider("old"), user: user() }, options);
  using context = stepContext({ services: plugins.services });
  const asked = plugins.findStep("user/ask").implementation.run({ waits: true }, context);
  await until("user", "begun");
  await plugins.restart("user");
  letGo("user");
  assert.deepEqual(await asked, { by: "old", version: "old" });
});

test("a step that waits for its plugin's next version ends when it is told to", async (t) => {
  const { plugins, write } = await start(t, { provider: provider("old"), user: user() });
  write("user", "export default { setup() { throw new Error('no') } };");
  assert.equal((await plugins.restart("user"))?.state, "failed");
  const controller = new AbortController();
  const waiting = plugins.stepWhenReady("user/ask", controller.signal) as Promise<unknown>;
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  assert.throws(() => plugins.findStep("user/ask"), { code: "PLUGIN_START_FAILED" });
});
