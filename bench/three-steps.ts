// Durable runs of three steps on a store of their own: each step returns a text of some length, which the next one
// reads. As a program: prints one JSON object of figures, for when something has to watch the process from outside.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Engine } from "../host/engine/engine.ts";
import type { LoadedWorkflow, RunnableStep } from "../host/engine/workflow.ts";
import { createLog } from "../host/log.ts";
import { openStore } from "../host/store/open.ts";
import { median } from "./figures.ts";

const step: RunnableStep = {
  uses: "bench/add",
  plugin: "bench",
  implementation: {
    run: async ({ value, text }: { value: number; text: string }) => ({ value: value + 1, text }),
  } as RunnableStep["implementation"],
  checkInput: () => [],
  checkOutput: () => [],
  errors: {},
  services: {},
  secret: async () => "",
  database: () => {
    throw new Error("no database");
  },
  fetch,
};

export const threeStepsFinder = () => step;

export const threeStepWorkflow: LoadedWorkflow = {
  name: "three",
  file: "three.json",
  document: {
    name: "three",
    steps: [
      { id: "a", uses: "bench/add", with: { value: "${{ inputs.value }}", text: "${{ inputs.text }}" } },
      { id: "b", uses: "bench/add", with: "${{ steps.a.outputs }}" as never },
      { id: "c", uses: "bench/add", with: "${{ steps.b.outputs }}" as never },
    ],
    outputs: { value: "${{ steps.c.outputs.value }}" },
  },
  text: "{}",
  hash: "0".repeat(64),
  calls: new Map(),
};

export interface Figures {
  runs: number;
  perSecond: number;
  /** Of one run, in milliseconds. */
  medianMs: number;
  /** How late the event loop was, 99th percentile, in milliseconds. */
  loopDelayMs: number;
}

/** With so many runs open at once, each with a text of so many characters. */
export async function threeSteps(open: number, characters = 8, seconds = 3): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-"));
  const store = await openStore(directory);
  const engine = new Engine({
    store,
    log: createLog({ level: "error" }),
    dataDirectory: directory,
    findStep: threeStepsFinder,
    contexts: () => ({ config: {}, device: null }),
    maxOpen: 1024,
  });
  const times: number[] = [];
  const text = "x".repeat(characters);
  const one = async (end: number) => {
    while (performance.now() < end) {
      const begun = performance.now();
      const { runId } = await engine.accept(threeStepWorkflow, { input: { value: 1, text } });
      const run = await engine.waitFor(runId);
      if ((run.output as { value: number }).value !== 4) throw new Error(`wrong result ${JSON.stringify(run)}`);
      times.push(performance.now() - begun);
    }
  };
  const all = async (forMs: number) => {
    const end = performance.now() + forMs;
    await Promise.all(Array.from({ length: open }, () => one(end)));
  };
  // The first runs compile the code; a host runs for months.
  await all(500);
  const warm = times.splice(0).length;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  await all(seconds * 1000);
  const tookSeconds = (performance.now() - begun) / 1000;
  delay.disable();
  await engine.stop();
  await store.close();
  rmSync(directory, { recursive: true });
  return {
    runs: warm + times.length,
    perSecond: times.length / tookSeconds,
    medianMs: median(times),
    // The timer that measures counts from its own period.
    loopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - 1),
  };
}

if (import.meta.main) {
  const [open = "1", characters = "8", seconds = "3"] = process.argv.slice(2);
  console.log(JSON.stringify(await threeSteps(Number(open), Number(characters), Number(seconds))));
}
