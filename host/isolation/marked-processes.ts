// Processes that belong to a plugin: its own, and what it has started, wherever that has gone since.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** The variable that the processes of a plugin inherit from it. */
export const markName = "GANTRY_PLUGIN";

/** Ends all processes of this group or with this mark; resolves once none is left, or after `patienceMs`. */
export async function endMarked(group: number, mark: string, patienceMs = 5000): Promise<void> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(20)) {
    const pids = processesOf(group, mark);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
  }
}

/** Resident memory in bytes; `undefined` when the process has ended. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Whether `pid` has been started by `ancestor` or by what that one has started. */
export function isDescendant(pid: number, ancestor: number): boolean {
  for (let current = pid, steps = 0; current > 1 && steps < 64; steps++) {
    if (current === ancestor) return true;
    current = readStat(current)?.parent ?? 0;
  }
  return false;
}

function processesOf(group: number, mark: string): number[] {
  const marked = Buffer.from(`${markName}=${mark}\0`);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = readStat(pid);
      return stat !== undefined && (stat.group === group || environmentOf(pid).includes(marked));
    });
}

function environmentOf(pid: number): Buffer {
  try {
    return readFileSync(`/proc/${pid}/environ`);
  } catch {
    return Buffer.alloc(0);
  }
}

// Behind the command's name, which may itself hold spaces and parentheses (proc(5)). A zombie is dead.
function readStat(pid: number): { parent: number; group: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, parent, group] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : { parent: Number(parent), group: Number(group) };
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
