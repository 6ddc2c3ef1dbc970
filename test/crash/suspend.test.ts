import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, type TestHost, waitFor } from "gantry/testing";
import { needs } from "../support/parts.ts";

const skip = needs("mosquitto");

/** A host that runs one script on a message. */
async function startHost(script: string): Promise<{ host: TestHost; effects: string }> {
  const workflow = {
    on: [{ trigger: "mqtt/message", with: { topic: "work" } }],
    inputs: { type: "object", required: ["folder"], properties: { folder: { type: "string" } } },
    steps: [
      {
        id: "script",
        uses: "script/run",
        with: {
          command: ["/bin/sh", "${{ inputs.folder }}/script.sh", "${{ inputs.folder }}/effects"],
          directory: "${{ inputs.folder }}",
        },
      },
    ],
  };
  const workflows = { work: workflow };
  const host = await startTestHost({ plugins: ["script"], workflows, broker: "mosquitto", process: true });
  await writeFile(join(host.directory, "script.sh"), script);
  return { host, effects: join(host.directory, "effects") };
}

/** Sends the message, and waits until the script has begun. */
async function order(host: TestHost, effects: string): Promise<void> {
  await host.mqtt.publish("work", { folder: host.directory });
  await waitFor("the script", () => existsSync(effects));
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

test("SIGTERM while a script runs suspends the run; the next host finishes it", {
  skip,
  timeout: 120_000,
}, async () => {
  const { host, effects } = await startHost('echo began >> "$1"; sleep 1; echo ended >> "$1"\n');
  await using _ = host;
  await order(host, effects);
  await host.stop();
  // The script was let finish, as it needed less than the time allowed for that.
  assert.equal(await readFile(effects, "utf8"), "began\nended\n");
  await host.resume();
  assert.equal((await host.nextRun("work")).status, "succeeded");
  assert.equal(await readFile(effects, "utf8"), "began\nended\n");
});

test("a script that ignores SIGTERM is killed at the stop, and run again by the next host", {
  skip,
  timeout: 120_000,
}, async () => {
  const { host, effects } = await startHost(
    'trap "" TERM; echo "began $$" >> "$1"; [ "$(wc -l < "$1")" -gt 1 ] && exit 0; while :; do sleep 0.1; done\n',
  );
  await using _ = host;
  await order(host, effects);
  await host.stop();
  const pid = Number((await readFile(effects, "utf8")).split(/\s/)[1]);
  assert.ok(!isAlive(pid), "the script outlived its host");
  assert.deepEqual(
    host.runs().map(({ status }) => status),
    ["running"],
  );
  await host.resume();
  assert.equal((await host.nextRun("work")).status, "succeeded");
});

test("a script left behind by a killed host is ended before it runs again", { skip, timeout: 120_000 }, async () => {
  const script =
    'if [ -s "$1" ]; then kill -0 "$(cut -d" " -f2 "$1" | head -1)" 2>/dev/null && [ "$(cut -d" " -f3 /proc/$(cut -d" " -f2 "$1" | head -1)/stat)" != Z ] && echo "ghost" >> "$1"; echo again >> "$1"; exit 0; fi; echo "began $$" >> "$1"; exec sleep 300\n';
  const { host, effects } = await startHost(script);
  await using _ = host;
  await order(host, effects);
  await host.kill();
  const pid = Number((await readFile(effects, "utf8")).split(/\s/)[1]);
  process.kill(pid, 0);
  await host.resume();
  assert.equal((await host.nextRun("work")).status, "succeeded");
  assert.deepEqual((await readFile(effects, "utf8")).trim().split("\n").slice(1), ["again"]);
});
