// `gantry validate` as a person calls it, a process each time: 100 documents of a configured folder, and single documents
// of the largest size, sound and wrong all over. Memory is the peak of the process.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Workflow, WorkflowStep } from "../schemas/workflow.types.ts";
import { median, row } from "./figures.ts";

const self = fileURLToPath(import.meta.url);
const main = fileURLToPath(new URL("../host/main.ts", import.meta.url));
const rounds = 5;
const maxBytes = 1 << 20;

if (process.argv[2] === "validate") await beGantry();
else compare();

/** The command itself, which says at its end on descriptor 3 how much memory it has had. */
async function beGantry(): Promise<void> {
  process.on("exit", () => writeSync(3, readFileSync("/proc/self/status")));
  await import(main);
}

function compare(): void {
  const folder = mkdtempSync(join(tmpdir(), "gantry-bench-validate-"));
  const path = (name: string) => join(folder, name);
  try {
    const plugins = ["mqtt", "download", "verify", "archive", "script", "files", "http"].map((plugin) => ({ plugin }));
    mkdirSync(path("workflows"));
    writeFileSync(path("plugins.json"), JSON.stringify({ workflows: ["./workflows"], plugins }));
    const shipped = new URL("../workflows/install-artifact.json", import.meta.url);
    const text = readFileSync(shipped, "utf8");
    const document = JSON.parse(text) as Workflow;
    tell("nothing but the plugins' manifests", measure(folder, 0));
    for (let count = 0; count < 100; count++)
      writeFileSync(path(`workflows/${count}.json`), text.replace(document.name, `${document.name}-${count}`));
    tell(`100 documents of ${(text.length / 1000).toFixed(1)} kB each`, measure(folder, 0));
    rmSync(path("workflows"), { recursive: true });
    mkdirSync(path("workflows"));
    const sound = largest(document, (step) => step);
    writeFileSync(path("sound.json"), sound.text);
    tell(`one of 1 MiB with ${sound.steps} steps, sound`, measure(folder, 0, "sound.json"));
    const wrong = largest(document, misspelt);
    writeFileSync(path("wrong.json"), wrong.text);
    tell(`one of 1 MiB with ${wrong.steps} steps, a mistake in each`, measure(folder, wrong.steps, "wrong.json"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The document with as many of its steps as fit in, one set after the other. */
function largest(
  { on, inputs, vars, steps }: Workflow,
  change: (step: WorkflowStep) => WorkflowStep,
): { text: string; steps: number } {
  const textOf = (sets: number) =>
    JSON.stringify({
      name: "largest",
      on,
      inputs,
      vars,
      steps: Array.from({ length: sets }, (_, index) => ({ id: `set${index}`, steps: steps.map(change) })),
    });
  let sets = Math.ceil(maxBytes / Buffer.byteLength(textOf(1)));
  while (Buffer.byteLength(textOf(sets)) > maxBytes) sets--;
  return { text: textOf(sets), steps: sets * steps.length };
}

/** Reads what is not there. */
function misspelt(step: WorkflowStep): WorkflowStep {
  return { ...step, if: "${{ steps.nowhere.status == 'failed' }}" };
}

interface Figures {
  seconds: number;
  peakMb: number;
}

/** Each process has to find just so many faults. */
function measure(cwd: string, faults: number, ...files: string[]): Figures {
  const all = Array.from({ length: rounds }, (): Figures => {
    const begun = performance.now();
    const args = [self, "validate", "--json", ...files];
    const { stdout, output, stderr } = spawnSync(process.execPath, args, {
      cwd,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const seconds = (performance.now() - begun) / 1000;
    const told = stdout.split("\n").filter((line) => line !== "" && !line.includes('"severity":"note"'));
    if (told.length !== faults) throw new Error(`${told.length} faults instead of ${faults}: ${told[0] ?? stderr}`);
    return { seconds, peakMb: Number(/VmHWM:\s+(\d+)/.exec(output[3]!)![1]) / 1024 };
  });
  return { seconds: median(all.map(({ seconds }) => seconds)), peakMb: median(all.map(({ peakMb }) => peakMb)) };
}

function tell(what: string, { seconds, peakMb }: Figures): void {
  console.log(row(what, `${(seconds * 1000).toFixed(0)} ms, ${peakMb.toFixed(0)} MB`));
}
