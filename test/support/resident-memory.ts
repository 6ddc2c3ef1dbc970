// The memory of a process, seen from outside.

import { readFileSync, writeFileSync } from "node:fs";

/** What it has resident now. */
export const residentMb = (pid: number) => statusMb(pid, "VmRSS");

/** The most it has had resident since it began, or since `forgetPeak`. */
export const peakMb = (pid: number) => statusMb(pid, "VmHWM");

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function statusMb(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024;
}
