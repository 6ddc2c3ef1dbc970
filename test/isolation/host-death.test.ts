// A real host with third-party plugins: their processes end with it, however it ends, and a run whose plugin fails goes
// by its own policy.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStoreForReading } from "../../host/store/open.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { HostProcess, makeHostFolder } from "../support/host-process.ts";

const startup = [{ trigger: "host/startup" }];

async function startHost(t: TestContext, plugins: string[], workflows: Record<string, object>) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-isolation-")));
  for (const name of plugins)
    cpSync(fileURLToPath(new URL(`./plugins/${name}`, import.meta.url)), join(directory, "plugins", name), {
      recursive: true,
    });
  const documents = Object.fromEntries(
    Object.entries(workflows).map(([name, document]) => [name, { name, on: startup, ...document }]),
  );
  const configuration = {
    workflows: ["./workflows"],
    plugins: plugins.map((name) => ({ plugin: `./plugins/${name}` })),
  };
  const folder = await makeHostFolder(directory, configuration, documents);
  const host = new HostProcess(folder, {}, ["--log-level", "debug"]);
  t.after(async () => {
    await host.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  await host.ready();
  const pidOf = (name: string) => host.lines().findLast(({ msg }) => msg === `plugin ${name} is active`)!.pid as number;
  const run = async (workflow: string) =>
    waitFor(`the run of ${workflow} to end`, () => {
      const store = openStoreForReading(folder.data);
      try {
        const [found] = store.runs.list({ workflow, limit: 1 });
        return found !== undefined && !["queued", "running", "waiting", "undoing"].includes(found.status) && found;
      } finally {
        store.close();
      }
    });
  return { host, pidOf, run, data: folder.data };
}

test("a run whose plugin crashes is retried as its workflow says, and another plugin's run goes on", async (t) => {
  const once = { uses: "flaky/crash-once", retry: { retries: 8, delay: "200ms" } };
  const { host, run } = await startHost(t, ["flaky", "good"], {
    retried: { steps: [once] },
    failed: { steps: [{ uses: "flaky/crash" }] },
    fine: { steps: [{ uses: "good/work" }] },
  });
  assert.equal((await run("fine")).status, "succeeded");
  assert.equal((await run("retried")).status, "succeeded");
  const failed = await run("failed");
  assert.equal(failed.status, "failed");
  assert.match(failed.error!.code, /^PLUGIN_(CRASHED|UNAVAILABLE)$/);
  assert.equal(await host.stop(), 0);
});

test("no process of a plugin, busy or not, and nothing it has started outlives a host that is killed", async (t) => {
  const { host, pidOf, data } = await startHost(t, ["family", "good"], {
    raise: { steps: [{ uses: "family/raise" }, { uses: "family/spin" }] },
  });
  const family = join(data, "plugins", "family");
  const files = () => readdirSync(family).filter((name) => /-\d+$/.test(name));
  await waitFor("the programs to run", () => files().length === 3);
  const started = await waitFor("their ids", () => {
    const pids = files().map((name) => Number(readFileSync(join(family, name), "utf8")));
    return pids.every((pid) => pid > 0) && pids;
  });
  const pids = [pidOf("family"), pidOf("good"), ...started];
  assert.ok(pids.every(isAlive));
  await waitFor("the plugin to be busy", () => /^[R]/.test(stateOf(pidOf("family"))));
  process.kill(host.pid, "SIGKILL");
  await waitFor("all of them to end", () => !pids.some(isAlive), 10_000);
});

test("all processes of plugins have ended when a host that was told to stop has exited", async (t) => {
  const { host, pidOf, data } = await startHost(t, ["family", "good"], {
    raise: { steps: [{ uses: "family/raise" }] },
  });
  const family = join(data, "plugins", "family");
  const files = () => readdirSync(family).filter((name) => /-\d+$/.test(name));
  const started = await waitFor("the programs to run", () => {
    const pids = files().map((name) => Number(readFileSync(join(family, name), "utf8")));
    return pids.length === 3 && pids.every((pid) => pid > 0) && pids;
  });
  const pids = [pidOf("family"), pidOf("good"), ...started];
  assert.ok(pids.every(isAlive));
  assert.equal(await host.stop(), 0);
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
