// What a host was started with beside its three streams (a socket of systemd's, a shell's redirection) would pass on to
// every process it starts: Node marks its own descriptors as not to be inherited, and of these only the first few.

import type { StdioOptions } from "node:child_process";
import { openSync, readdirSync, readFileSync } from "node:fs";

const closedOnExec = 0o2000000;

/** The descriptors above the three streams that a started process would inherit. */
function inheritedDescriptors(): number[] {
  return readdirSync("/proc/self/fdinfo")
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isInherited(descriptor));
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closedOnExec) === 0;
  } catch {
    // It was the one by which the list was read.
    return false;
  }
}

let nothing: { descriptor: number; inherited: number[] } | undefined;

/** These streams, and nothing in place of what the process would inherit beside them. */
export function withoutInherited(streams: ("ignore" | "pipe")[]): StdioOptions {
  nothing ??= { descriptor: openSync("/dev/null", "r+"), inherited: inheritedDescriptors() };
  const stdio: ("ignore" | "pipe" | number)[] = [...streams];
  for (const descriptor of nothing.inherited) {
    // Node leaves what is ignored as it is.
    while (stdio.length < descriptor) stdio.push("ignore");
    if (descriptor >= streams.length) stdio[descriptor] = nothing.descriptor;
  }
  return stdio;
}
