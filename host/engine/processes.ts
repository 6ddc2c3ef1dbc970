// Process groups that steps started: told apart by start time, ended when they outlive the host that started them.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { bootId } from "../boot-id.ts";
import type { ProcessIdentity } from "./records.ts";

/** What a process group is recognised by later; undefined when it has ended already. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readStat(String(pid));
  return stat === undefined ? undefined : { pid, startTime: stat.startTime, bootId: bootId() };
}

/** Ends a group left behind by an earlier host, its members included; resolves once none is alive. */
export async function endGhost(identity: ProcessIdentity): Promise<void> {
  if (identity.bootId !== bootId()) return;
  const leader = readStat(String(identity.pid));
  // The number may belong to somebody else by now; a group whose leader is gone still has its members.
  if (leader !== undefined && leader.startTime !== identity.startTime) return;
  while (groupIsAlive(identity.pid)) {
    try {
      process.kill(-identity.pid, "SIGKILL");
    } catch {
      return;
    }
    await sleep(10);
  }
}

function groupIsAlive(group: number): boolean {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(name);
    if (stat !== undefined && stat.group === group) return true;
  }
  return false;
}

// Fields of /proc/PID/stat after the command's name, which may itself hold spaces and parentheses (proc(5)).
// A zombie is dead: process 1 may take a while to collect it.
function readStat(pid: string): { group: number; startTime: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return { group: Number(fields[2]), startTime: fields[19]! };
  } catch {
    return undefined;
  }
}
