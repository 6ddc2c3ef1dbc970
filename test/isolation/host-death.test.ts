// A real host with third-party plugins: their processes end with it, however it ends, and a run whose plugin fails goes
// by its own policy.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";
import { gantry } from "../commands/gantry.ts";

const startup = [{ trigger: "host/startup" }];

async function startHost(plugins: string[], workflows: Record<string, object>) {
  const host = await startTestHost({
    plugins: plugins.map((name) => new URL(`./plugins/${name}`, import.meta.url)),
    workflows: Object.fromEntries(
      Object.entries(workflows).map(([name, document]) => [name, { on: startup, ...document }]),
    ),
    process: true,
    // One of them may have crashed by the time it is looked at.
    faulty: true,
  });
  const pidOf = (name: string) => host.log.findLast(({ msg }) => msg === `plugin ${name} is active`)!.pid as number;
  return { host, pidOf };
}

test("a run whose plugin crashes is retried as its workflow says, and another plugin's run goes on", async () => {
  const once = { uses: "flaky/crash-once", retry: { retries: 8, delay: "200ms" } };
  const { host } = await startHost(["flaky", "good"], {
    retried: { steps: [once] },
    failed: { steps: [{ uses: "flaky/crash" }] },
    fine: { steps: [{ uses: "good/work" }] },
  });
  await using _ = host;
  assert.equal((await host.nextRun("fine")).status, "succeeded");
  assert.equal((await host.nextRun("retried")).status, "succeeded");
  const failed = await host.nextRun("failed");
  assert.equal(failed.status, "failed");
  assert.match(failed.error!.code, /^PLUGIN_(CRASHED|UNAVAILABLE)$/);
  // For people: the state, what its process holds, how often it was started again, and why.
  const listed = async () => (await gantry("plugin", "list", "--data", host.data)).stdout;
  const told = /^flaky +\S+ +active +\d+ MB +started again \d+ times; last: .+ \(PLUGIN_CRASHED\)$/m;
  await waitFor("the plugin in the list", async () => told.test(await listed()));
  assert.match(await listed(), /^good +\S+ +active +\d+ MB$/m);
  await host.stop();
});

test("no process of a plugin, busy or not, and nothing it has started outlives a host that is killed", async () => {
  const { host, pidOf } = await startHost(["family", "good"], {
    raise: { steps: [{ uses: "family/raise" }, { uses: "family/spin" }] },
  });
  await using _ = host;
  const family = join(host.data, "plugins", "family");
  const files = () => readdirSync(family).filter((name) => /-\d+$/.test(name));
  await waitFor("the programs to run", () => files().length === 3);
  const started = await waitFor("their ids", () => {
    const pids = files().map((name) => Number(readFileSync(join(family, name), "utf8")));
    return pids.every((pid) => pid > 0) && pids;
  });
  const pids = [pidOf("family"), pidOf("good"), ...started];
  assert.ok(pids.every(isAlive));
  await waitFor("the plugin to be busy", () => /^[R]/.test(stateOf(pidOf("family"))));
  await host.kill();
  await waitFor("all of them to end", () => !pids.some(isAlive), 10_000);
});

test("all processes of plugins have ended when a host that was told to stop has exited", async () => {
  const { host, pidOf } = await startHost(["family", "good"], {
    raise: { steps: [{ uses: "family/raise" }] },
  });
  await using _ = host;
  const family = join(host.data, "plugins", "family");
  const files = () => readdirSync(family).filter((name) => /-\d+$/.test(name));
  const started = await waitFor("the programs to run", () => {
    const pids = files().map((name) => Number(readFileSync(join(family, name), "utf8")));
    return pids.length === 3 && pids.every((pid) => pid > 0) && pids;
  });
  const pids = [pidOf("family"), pidOf("good"), ...started];
  assert.ok(pids.every(isAlive));
  await host.stop();
  assert.deepEqual(pids.filter(isAlive), []);
});

function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2);
  } catch {
    return "X";
  }
}

function isAlive(pid: number): boolean {
  return !/^[ZX]/.test(stateOf(pid));
}
