// What the benchmarks of downloads, uploads and archives have in common: programs as peers, and the memory of a process.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export function run(program: string, ...args: string[]): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`);
}

/** In seconds. */
export function timed(work: () => void): number {
  const begun = performance.now();
  work();
  return (performance.now() - begun) / 1000;
}

/** The most memory this process has had resident. */
export function peakMb(): number {
  return peakOf("self")!;
}

/** Runs a program to its end; `peakMb` is the most it has had resident, `said` the end of what it has to say. */
export async function measured(
  program: string,
  args: string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ seconds: number; peakMb: number; said: string }> {
  const begun = performance.now();
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...environment },
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-5000);
  });
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, peakOf(child.pid!) ?? 0);
  }, 20);
  const [code] = await once(child, "close");
  clearInterval(look);
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${said}`);
  return { seconds: (performance.now() - begun) / 1000, peakMb: most, said };
}

/** Undefined where it has ended. */
function peakOf(pid: number | "self"): number | undefined {
  try {
    const found = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return found === null ? undefined : Number(found[1]) / 1024;
  } catch {
    return undefined;
  }
}
