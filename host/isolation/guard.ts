// Ends the processes of plugins when the host has died without doing so itself (kill -9, out of memory): a small shell
// waits for the end of a pipe that only the host holds. A plugin's process sees that end too, but not while it is busy,
// and what it has started does not.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { markName } from "./marked-processes.ts";

// Each line replaces the list: the groups to end. What has left its group is found by the mark it has inherited.
const script = `
while read -r line; do groups=$line; done
for group in $groups; do kill -KILL -- "-$group"; done
for file in /proc/[0-9]*/environ; do
  if grep -q "${markName}=$1" "$file"; then pid=\${file#/proc/}; kill -KILL "\${pid%/environ}"; fi
done
`;

export class Guard {
  /** Begins the marks of all plugin processes of this host. */
  readonly mark = randomUUID();
  readonly #groups = new Set<number>();
  readonly #onFault: (message: string) => void;
  #shell: ChildProcess | undefined;

  constructor(onFault: (message: string) => void) {
    this.#onFault = onFault;
  }

  add(group: number): void {
    this.#groups.add(group);
    this.#tell();
  }

  remove(group: number): void {
    this.#groups.delete(group);
    if (this.#shell !== undefined) this.#tell();
  }

  /** Lets it go; it ends what has not been removed. */
  close(): void {
    this.#shell?.stdin?.end();
    this.#shell = undefined;
  }

  #tell(): void {
    this.#shell ??= this.#start();
    this.#shell.stdin?.write(`${[...this.#groups].join(" ")}\n`);
  }

  #start(): ChildProcess {
    const shell = spawn("/bin/sh", ["-c", script, "gantry-guard", this.mark], {
      // In a group of its own, so that what ends the host's group does not end it.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      env: { PATH: "/usr/bin:/bin" },
    });
    const gone = () => {
      // The next plugin that starts gets another one.
      if (this.#shell === shell) this.#shell = undefined;
    };
    shell.on("error", (error) => this.#onFault(error.message));
    shell.on("exit", gone);
    shell.stdin?.on("error", gone);
    shell.unref();
    (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    return shell;
  }
}
