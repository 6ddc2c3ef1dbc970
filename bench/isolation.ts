// What a process of its own costs a plugin, against the host's process: time to start, memory, and each call.

import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { activatePlugins } from "../host/loading/activate.ts";
import type { ActivePlugins } from "../host/loading/active-plugins.ts";
import { readHost } from "../host/loading/read-host.ts";
import { createLog } from "../host/log.ts";
import { openStore } from "../host/store/open.ts";
import { stepContext } from "../test/support/step-context.ts";
import { median, quantile, row } from "./figures.ts";

const starts = 5;
const calls = 3000;
const atOnce = 20_000;

const log = createLog({ level: "silent" });
const folder = mkdtempSync(join(tmpdir(), "gantry-bench-isolation-"));
const javascript = fileURLToPath(new URL("./plugins/echo", import.meta.url));
const typescript = join(folder, "typescript");
cpSync(javascript, typescript, { recursive: true });
renameSync(join(typescript, "index.js"), join(typescript, "index.ts"));
const manifest = readFileSync(join(typescript, "plugin.json"), "utf8");
writeFileSync(join(typescript, "plugin.json"), manifest.replace("index.js", "index.ts"));

const kinds = {
  "in the host's process": { plugin: javascript, isolation: "in-process" },
  "in a process of its own": { plugin: javascript },
  "in a process of its own, in TypeScript": { plugin: typescript },
};

try {
  for (const [words, entry] of Object.entries(kinds)) {
    const { directory, startMs } = await timeStarts(entry);
    await using running = await activate(entry, directory);
    console.log(`\n${words}`);
    console.log(row(`until it is active, median of ${starts}`, `${median(startMs).toFixed(0)} ms`));
    await measureMemory(running.plugins);
    await measureCalls(running.plugins);
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function timeStarts(entry: object) {
  const startMs: number[] = [];
  let directory = "";
  for (let round = 0; round <= starts; round++) {
    directory = mkdtempSync(join(folder, "host-"));
    await using running = await activate(entry, directory);
    // The first one fills caches.
    if (round > 0) startMs.push(running.startMs);
  }
  return { directory, startMs };
}

async function activate(entry: object, directory: string) {
  const config = join(directory, "plugins.json");
  writeFileSync(config, JSON.stringify({ plugins: [entry] }));
  const store = await openStore(directory);
  const documents = readHost(config);
  const begun = performance.now();
  const plugins = await activatePlugins(documents, { store, log, dataDirectory: directory });
  const startMs = performance.now() - begun;
  const echo = plugins.states().find(({ name }) => name === "echo");
  if (echo?.state !== "active") throw new Error(JSON.stringify(echo));
  return {
    plugins,
    startMs,
    async [Symbol.asyncDispose]() {
      await plugins.stop();
      await store.close();
    },
  };
}

async function measureMemory(plugins: ActivePlugins): Promise<void> {
  const pid = plugins.states().find(({ name }) => name === "echo")?.pid;
  if (pid === undefined) return;
  await sleep(1000);
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const mb = (...names: string[]) =>
    names.reduce((sum, name) => sum + Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)![1]) / 1024, 0);
  const own = mb("Private_Clean", "Private_Dirty");
  console.log(row("memory of its process", `${mb("Rss").toFixed(0)} MB, ${own.toFixed(0)} MB of it not shared`));
}

async function measureCalls({ findStep, services }: ActivePlugins): Promise<void> {
  using context = stepContext();
  const say = (await findStep("echo/say")).implementation;
  const tell = (await findStep("echo/tell")).implementation;
  const ask = (await findStep("echo/ask")).implementation;
  const input = { text: "a".repeat(200), list: [1, 2, 3] };
  await oneByOne(500, () => say.run(input, context));
  await latency("a step, one at a time", () => say.run(input, context));
  await latency("a step that logs, reports and remembers", () => tell.run(input, context));
  await rate("calls of a service", atOnce, () => many(atOnce, () => services.echo!.say!(input)));
  await rate("steps, 64 at a time", atOnce, () => inBatches(atOnce, 64, () => say.run(input, context)));
  await rate("calls of the host by the plugin", atOnce, () => ask.run({ times: atOnce }, context));
}

async function oneByOne(times: number, call: () => unknown): Promise<number[]> {
  const took: number[] = [];
  for (let count = 0; count < times; count++) {
    const begun = performance.now();
    await call();
    took.push((performance.now() - begun) * 1000);
  }
  return took;
}

async function latency(words: string, call: () => unknown): Promise<void> {
  const took = await oneByOne(calls, call);
  console.log(row(words, `median ${median(took).toFixed(0)} us, 99 % ${quantile(took, 0.99).toFixed(0)} us`));
}

async function rate(words: string, times: number, work: () => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  await work();
  console.log(row(words, `${Math.round(times / ((performance.now() - begun) / 1000))} a second`));
}

function many(times: number, call: () => unknown): Promise<unknown[]> {
  return Promise.all(Array.from({ length: times }, call));
}

async function inBatches(times: number, size: number, call: () => unknown): Promise<void> {
  for (let done = 0; done < times; done += size) await many(size, call);
}
