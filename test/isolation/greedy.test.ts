// Plugins that ask for more than they can take: much of what they ask for is small to ask and large to answer. Whatever
// one of them asks, the host stays small and goes on.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startTestHost, type TestHost } from "../../host/testing/test-host.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { makePlugin } from "../conformance/violating-plugins.ts";

const steps = {
  values: {
    run: `
      await keyValue.set("large", "x".repeat(3_000_000));
      let length = 0;
      await Promise.all(Array.from({ length: 60 }, () => keyValue.get("large").then((value) => { length += value.length; })));
      return { length };`,
  },
  rows: {
    run: `
      const database = context.database("own");
      await database.migrate(["CREATE TABLE t (x)"]);
      await database.run("INSERT INTO t VALUES (?)", ["x".repeat(3_000_000)]);
      let length = 0;
      await Promise.all(Array.from({ length: 60 }, () => database.get("SELECT x FROM t").then(({ x }) => { length += x.length; })));
      return { length };`,
  },
  entries: {
    run: `
      for (let entry = 0; entry < 40; entry++) await outbox.put("lane", "x".repeat(1_000_000));
      await Promise.all(Array.from({ length: 60 }, () => outbox.read("lane", 0, 1000)));
      return {};`,
  },
  databases: {
    run: `
      for (let number = 0; number < 1000; number++) await context.database("d" + number).migrate(["CREATE TABLE t (x)"]);
      return {};`,
  },
  subscriptions: {
    run: `
      for (let number = 0; number < 20; number++) await services.other.listen("x".repeat(3_000_000), () => {});
      return {};`,
  },
  work: { run: "return {};" },
};

const plugin = makePlugin({
  steps,
  manifest: { requires: ["other"] },
  setup: "const { keyValue, outbox, services } = context;",
});
const other = makePlugin({
  name: "other",
  steps: {},
  manifest: { provides: { other: { streams: { listen: {} } } } },
  more: "services: { other: { listen: async () => () => {} } }",
});
let host: TestHost;

before(async () => {
  const workflows = Object.fromEntries(
    Object.keys(steps).map((step) => [
      step,
      { steps: [{ id: "it", uses: `made/${step}` }], outputs: "${{ steps.it.outputs }}" },
    ]),
  );
  host = await startTestHost({ plugins: [other.folder, plugin.folder], workflows, process: true });
});
after(async () => {
  await host[Symbol.asyncDispose]();
  for (const made of [plugin, other]) made[Symbol.dispose]();
});

/** The most resident memory so far, in MB. */
const mostMb = (of = host) =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${of.pid}/status`, "latin1"))?.[1]) / 1024;

async function goesOn() {
  const isActive = async () => (await host.plugins()).every(({ state }) => state === "active");
  await waitFor("the plugin to be there", isActive);
  assert.equal((await host.run("work")).status, "succeeded");
  assert.ok(mostMb() < 400, `${mostMb()} MB`);
}

for (const step of ["values", "rows"])
  test(`what is asked for many times at once is answered as it is taken: ${step}`, async () => {
    const { status, output, error } = await host.run(step);
    assert.deepEqual([status, output], ["succeeded", { length: 180_000_000 }], error?.message ?? "");
    await goesOn();
  });

test("entries of a lane cost the one that reads them its memory, not the host", async () => {
  assert.equal((await host.run("entries")).error?.code, "PLUGIN_MEMORY");
  await goesOn();
});

test("a plugin has no more databases than the host can keep open", async () => {
  const run = await host.run("databases");
  assert.equal(run.error?.code, "DATABASE_FAILED", run.status);
  assert.match(run.error?.message ?? "", /at most 32 databases/);
  await goesOn();
  const open = readdirSync(`/proc/${host.pid}/fd`).length;
  assert.ok(open < 400, `${open} descriptors`);
});

test("what a plugin gives with its subscriptions is kept as long as they, and is bounded", async () => {
  const { error } = await host.run("subscriptions");
  assert.equal(error?.code, "PLUGIN_FLOOD", error?.message ?? "");
  assert.match(error?.message ?? "", /subscriptions with more than/);
  await goesOn();
});

test("large emissions are refused once the runs that they started hold as much as the host takes", async () => {
  using flooding = makePlugin({
    name: "flooding",
    steps: {},
    manifest: { triggers: { come: { description: "It comes." } } },
    setup: "const { log } = context;",
    more: `triggers: { come: { start: (_, emit) => {
      let stopped = false;
      const text = "x".repeat(1_000_000);
      (async () => {
        for (let taken = 0; !stopped; taken++)
          await emit({ input: { text } }).catch(({ code }) => { stopped = true; log.info("refused", { code, taken }); });
      })();
      return () => { stopped = true; };
    } } }`,
  });
  await using flooded = await startTestHost({
    plugins: [flooding.folder],
    workflows: {
      wait: {
        on: [{ trigger: "flooding/come" }],
        steps: [{ uses: "host/wait", with: { duration: "1h" } }],
      },
    },
    process: true,
  });
  const refused = await waitFor("the emissions to be refused", () => flooded.log.find(({ msg }) => msg === "refused"));
  assert.equal(refused.code, "QUEUE_FULL");
  assert.ok((refused.taken as number) > 20, `${refused.taken}`);
  assert.ok(mostMb(flooded) < 400, `${mostMb(flooded)} MB`);
});
