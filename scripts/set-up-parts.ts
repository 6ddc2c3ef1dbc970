// Installs what the tests talk to, where that is possible: as root on Debian. Elsewhere the tests say what they lack.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { isThere, type Part, parts } from "../test/support/parts.ts";

export function setUpParts(): void {
  const missing = (Object.keys(parts) as Part[]).filter((part) => !isThere(part));
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const packages = missing.flatMap((part) => parts[part].split(" "));
  console.error(`installing ${packages.join(", ")} (apt-get)`);
  const installed = aptGet("update") && aptGet("install", "--yes", "--no-install-recommends", ...packages);
  if (!installed) console.error("apt-get failed; its message stands above");
}

function aptGet(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", ["-qq", ...args], { stdio: ["ignore", 2, 2], env }).status === 0;
}
