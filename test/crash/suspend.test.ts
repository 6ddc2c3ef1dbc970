import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import mqtt from "mqtt";
import { openStoreForReading } from "../../host/store/open.ts";
import { startMosquitto } from "../../host/testing/mosquitto.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";
import { needs } from "../support/parts.ts";

const skip = needs("mosquitto");

/** Runs one script on a message, with the broker and host around it. */
async function withHost(
  script: string,
  work: (
    folder: HostFolder,
    effects: string,
    start: () => Promise<HostProcess>,
    order: () => Promise<void>,
  ) => Promise<void>,
) {
  const root = await mkdtemp(join(tmpdir(), "gantry-suspend-"));
  const broker = await startMosquitto();
  const effects = join(root, "effects");
  const workflow = {
    name: "work",
    on: [{ trigger: "mqtt/message", with: { topic: "work" } }],
    steps: [
      {
        id: "script",
        uses: "script/run",
        with: { command: ["/bin/sh", join(root, "script.sh"), effects], directory: root },
      },
    ],
  };
  await writeFile(join(root, "script.sh"), script);
  const folder = await makeHostFolder(
    root,
    { workflows: ["./workflows"], plugins: [{ plugin: "mqtt", config: { broker: broker.url } }, { plugin: "script" }] },
    { work: workflow },
  );
  const hosts: HostProcess[] = [];
  const client = await mqtt.connectAsync(broker.url);
  try {
    await work(
      folder,
      effects,
      async () => {
        const host = new HostProcess(folder);
        hosts.push(host);
        await host.ready();
        await waitFor("the subscription", () => /subscribed/.test(host.log));
        return host;
      },
      async () => void (await client.publishAsync("work", "{}", { qos: 1 })),
    );
  } finally {
    for (const host of hosts) await host.stop();
    await client.endAsync();
    await broker.stop();
    await rm(root, { recursive: true });
  }
}

// A dead process that nobody has collected yet still answers to signals.
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat[stat.lastIndexOf(")") + 2] !== "Z";
  } catch {
    return false;
  }
}

function onlyRun(folder: HostFolder) {
  const store = openStoreForReading(folder.data);
  try {
    const [run, ...more] = store.runs.list({});
    assert.equal(more.length, 0);
    return run;
  } finally {
    store.close();
  }
}

test("SIGTERM while a script runs suspends the run; the next host finishes it", {
  skip,
  timeout: 120_000,
}, async () => {
  await withHost('echo began >> "$1"; sleep 1; echo ended >> "$1"\n', async (folder, effects, start, order) => {
    const first = await start();
    await order();
    await waitFor("the script", () => existsSync(effects));
    assert.equal(await first.stop(), 0);
    // The script was let finish, as it needed less than the time allowed for that.
    assert.equal(await readFile(effects, "utf8"), "began\nended\n");
    await start();
    const run = await waitFor("the end", () => {
      const found = onlyRun(folder);
      return found?.endedAt != null && found;
    });
    assert.equal(run.status, "succeeded");
    assert.equal(await readFile(effects, "utf8"), "began\nended\n");
  });
});

test("a script that ignores SIGTERM is killed at the stop, and run again by the next host", {
  skip,
  timeout: 120_000,
}, async () => {
  await withHost(
    'trap "" TERM; echo "began $$" >> "$1"; [ "$(wc -l < "$1")" -gt 1 ] && exit 0; while :; do sleep 0.1; done\n',
    async (folder, effects, start, order) => {
      const first = await start();
      await order();
      await waitFor("the script", () => existsSync(effects));
      assert.equal(await first.stop(), 0);
      const pid = Number((await readFile(effects, "utf8")).split(/\s/)[1]);
      assert.ok(!isAlive(pid), "the script outlived its host");
      assert.equal(onlyRun(folder)?.endedAt, null);
      await start();
      const run = await waitFor("the end", () => {
        const found = onlyRun(folder);
        return found?.endedAt != null && found;
      });
      assert.equal(run.status, "succeeded");
    },
  );
});

test("a script left behind by a killed host is ended before it runs again", { skip, timeout: 120_000 }, async () => {
  const script =
    'if [ -s "$1" ]; then kill -0 "$(cut -d" " -f2 "$1" | head -1)" 2>/dev/null && [ "$(cut -d" " -f3 /proc/$(cut -d" " -f2 "$1" | head -1)/stat)" != Z ] && echo "ghost" >> "$1"; echo again >> "$1"; exit 0; fi; echo "began $$" >> "$1"; exec sleep 300\n';
  await withHost(script, async (folder, effects, start, order) => {
    const first = await start();
    await order();
    await waitFor("the script", () => existsSync(effects));
    await first.kill();
    const pid = Number((await readFile(effects, "utf8")).split(/\s/)[1]);
    process.kill(pid, 0);
    await start();
    const run = await waitFor("the end", () => {
      const found = onlyRun(folder);
      return found?.endedAt != null && found;
    });
    assert.equal(run.status, "succeeded");
    assert.deepEqual((await readFile(effects, "utf8")).trim().split("\n").slice(1), ["again"]);
  });
});
