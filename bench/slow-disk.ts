// A host on a disk where each sync takes 20 ms longer: how long a client of its broker waits for an answer, to a message
// that nothing durable comes of and to one that starts a durable run (which is on disk by then); alone, and while 64
// others start runs as fast as they can.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { makeHostFolder } from "../test/support/host-process.ts";
import { median, quantile, row } from "./figures.ts";

const main = fileURLToPath(new URL("../host/main.ts", import.meta.url));
const syncMs = 20;
const others = 64;
const messages = 200;

const workflow = {
  name: "bench",
  on: [{ trigger: "mqtt/message", with: { topic: "bench/+" } }],
  // Shipped steps: with a schema from outside each check has a thread that watches it, and strace slows each thread down.
  steps: Array.from({ length: 3 }, () => ({ uses: "mqtt/publish", with: { topic: "nobody", payload: 1, qos: 0 } })),
};
const root = mkdtempSync(join(tmpdir(), "gantry-bench-slow-disk-"));
try {
  const plugins = [{ plugin: "mqtt", config: { broker: "embedded", port: 0 } }];
  const folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins }, { bench: workflow });
  // The host itself is the child, and strace watches from outside.
  const inject = ["-e", "trace=fsync,fdatasync", "-e", `inject=fsync,fdatasync:delay_exit=${syncMs * 1000}`];
  const up = [process.execPath, main, "up", "--config", folder.config, "--data", folder.data];
  const host = spawn("strace", ["-D", "-f", "--seccomp-bpf", "-o", "/dev/null", ...inject, ...up], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = once(host, "exit");
  const port = await portOf(host.stderr!);
  const measured = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
  console.log(`on a disk with ${syncMs} ms a sync, from publish to acknowledgement:`);
  console.log(row("  a message for nobody", told(await times(measured, "elsewhere"))));
  console.log(row("  a message that starts a run", told(await times(measured, "bench/measured"))));

  const load = new AbortController();
  const busy = Array.from({ length: others }, async (_, index) => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
    let sent = 0;
    for (; !load.signal.aborted; sent++) await client.publishAsync(`bench/${index}`, "{}", { qos: 1 });
    await client.endAsync();
    return sent;
  });
  await sleep(1000);
  const begun = performance.now();
  console.log(
    row(`  a message for nobody, beside ${others} that start runs`, told(await times(measured, "elsewhere"))),
  );
  console.log(row("  a message that starts a run, beside them", told(await times(measured, "bench/measured"))));
  const seconds = (performance.now() - begun) / 1000;
  load.abort();
  const sent = (await Promise.all(busy)).reduce((sum, count) => sum + count, 0);
  console.log(row("  runs accepted meanwhile", `about ${(sent / (seconds + 1)).toFixed(0)} a second`));
  await measured.endAsync();
  host.kill("SIGTERM");
  await gone;
} finally {
  rmSync(root, { recursive: true, maxRetries: 5 });
}

async function times(client: mqtt.MqttClient, topic: string): Promise<number[]> {
  const found: number[] = [];
  for (let count = 0; count < messages; count++) {
    const begun = performance.now();
    await client.publishAsync(topic, "{}", { qos: 1 });
    found.push(performance.now() - begun);
    await sleep(10);
  }
  return found;
}

function told(found: number[]): string {
  return `median ${median(found).toFixed(1)} ms, 99 % ${quantile(found, 0.99).toFixed(1)} ms`;
}

function portOf(log: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    log.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const found = /"port":(\d+)/.exec(text);
      if (found !== null && text.includes("gantry ready")) resolve(Number(found[1]));
    });
    log.on("end", () => reject(new Error(`the host ended:\n${text}`)));
  });
}
