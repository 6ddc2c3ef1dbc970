// Importing a plugin's module does nothing: tried in a process of its own that may do nothing.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { nodeOptions } from "../isolation/node-options.ts";
import { type Finding, judge } from "./finding.ts";

/** `.ts` in the repository, `.js` in the package, where this module may lie in the folder beside it. */
const probe = fileURLToPath(new URL(`../conformance/import-probe${import.meta.url.slice(-3)}`, import.meta.url));

const patienceMs = 30_000;
const memoryLimitMb = 256;

export async function checkImport(plugin: { main: string; directory: string; builtIn: boolean }): Promise<Finding[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gantry-import-")));
  try {
    return judge({ check: "import", about: "" }, "CONFORMANCE_IMPORT", await problemsOf(plugin, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function problemsOf({ main, directory, builtIn }: Parameters<typeof checkImport>[0], folder: string) {
  // Without what its manifest asks for: nothing of that is for the import.
  const placed = { manifest: {}, directory, builtIn, dataFolder: folder };
  const options = nodeOptions({ plugins: [placed], dataDirectory: folder, memoryLimitMb });
  const child = spawn(process.execPath, [...options, probe, main], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: {},
    timeout: patienceMs,
    killSignal: "SIGKILL",
  });
  const [printed, complained, report, [code, signal]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    text(child.stdio[3] as Readable),
    once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  const said = `${printed}${complained}`.trim();
  if (report === "") {
    const end = signal === null ? `exit code ${code}` : `${signal}, after ${patienceMs / 1000} s at most`;
    return [`it does not come to its end (${end})${said === "" ? "" : `: ${said.slice(0, 500)}`}`];
  }
  const did = JSON.parse(report) as string[];
  return said === "" ? did : [...did, `it prints "${said.slice(0, 500)}"`];
}
