// A real host process: time to ready, resident memory idle, and the time from an MQTT message (QoS 1, Mosquitto) to the
// beginning of the first step of the durable run it starts.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { openStoreForReading } from "../host/store/open.ts";
import { startMosquitto } from "../host/testing/mosquitto.ts";
import { waitFor } from "../host/testing/wait-for.ts";
import { HostProcess, makeHostFolder } from "../test/support/host-process.ts";
import { median, quantile, row } from "./figures.ts";

const probe = fileURLToPath(new URL("./plugins/probe", import.meta.url));
const plugins = (broker: string) => [
  { plugin: "mqtt", config: { broker } },
  { plugin: "download" },
  { plugin: "verify" },
  { plugin: "script" },
  // It measures the host, and not the way into another process.
  { plugin: probe, isolation: "in-process" },
];
const workflow = {
  name: "bench",
  on: [{ trigger: "mqtt/message", with: { topic: "bench" } }],
  steps: [{ id: "now", uses: "probe/now" }],
  outputs: { at: "${{ steps.now.outputs.at }}", sent: "${{ inputs.sent }}" },
};

const root = mkdtempSync(join(tmpdir(), "gantry-bench-host-"));
const broker = await startMosquitto();
try {
  const folder = await makeHostFolder(
    join(root, "host"),
    { workflows: ["./workflows"], plugins: plugins(broker.url) },
    { bench: workflow },
  );
  const readyMs: number[] = [];
  const idleMb: number[] = [];
  for (let round = 0; round < 6; round++) {
    const begun = performance.now();
    const host = new HostProcess(folder, {}, ["--log-level", "info"]);
    await host.ready();
    // The first start fills the compile cache.
    if (round > 0) readyMs.push(performance.now() - begun);
    await sleep(1500);
    if (round > 0) idleMb.push(residentMb(host.pid));
    await host.stop();
  }
  console.log(row("time to ready, median of 5", `${median(readyMs).toFixed(0)} ms`));
  console.log(row("resident memory idle, four plugins, median of 5", `${median(idleMb).toFixed(0)} MB`));
  console.log(row("peer: an empty Node process", `${(await emptyNodeMb()).toFixed(0)} MB`));

  const host = new HostProcess(folder, {}, ["--log-level", "warn"]);
  const client = await mqtt.connectAsync(broker.url);
  await sleep(1000);
  for (let count = 0; count < 300; count++) {
    await client.publishAsync("bench", JSON.stringify({ sent: performance.timeOrigin + performance.now() }), {
      qos: 1,
    });
    await sleep(5);
  }
  const store = openStoreForReading(folder.data);
  const runs = await waitFor("all runs", () => {
    const ended = store.runs.list({ status: ["succeeded"], limit: 1000 });
    return ended.length === 300 && ended;
  });
  const times = runs.map(
    ({ output }) => (output as { at: number; sent: number }).at - (output as { sent: number }).sent,
  );
  console.log(
    row(
      "MQTT message to first step, durable, 300 messages",
      `median ${median(times).toFixed(2)} ms, 99 % ${quantile(times, 0.99).toFixed(2)} ms`,
    ),
  );
  store.close();
  await client.endAsync();
  await host.stop();
} finally {
  await broker.stop();
  rmSync(root, { recursive: true });
}

function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(line[1]) / 1024;
}

async function emptyNodeMb(): Promise<number> {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 5000)"], { stdio: "ignore" });
  await sleep(1500);
  const size = residentMb(child.pid!);
  child.kill();
  return size;
}
