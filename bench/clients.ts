// What the benchmarks of downloads and archives have in common: programs as peers, and the memory of a process.

import { spawnSync } from "node:child_process";
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
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1024;
}
