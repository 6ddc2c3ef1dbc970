// A program in a process group of its own, which does not begin before it is let go, and of which nothing is left when
// it has ended.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, readdirSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { openOutputPipe } from "./output-pipe.ts";

export interface Launch {
  command: string[];
  directory: string;
  environment: Record<string, string>;
  /** Called with the group's number before the program begins; it begins when this resolves. */
  started(group: number): Promise<void>;
  onOutput(chunk: Buffer): void;
}

export interface Ending {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

// A shell waits at descriptor 3 for the word, then becomes the program: same process, same number. Whatever else comes,
// also the end of a host that died, ends it before the program began. Exit codes 126 and 127 are the shell's own for a
// program it cannot execute or find. Both outputs are one pipe, so that their order is kept.
const gate = 'read -r word <&3 && [ "$word" = go ] || exit 125; exec 3<&-; exec "$@"';

const gateName = "gate";

/** Whether what a program said is only the gate's own complaint about it. */
export function isOfGate(output: string): boolean {
  return output.split("\n").every((line) => line.startsWith(`${gateName}: `));
}

export class ProcessGroup {
  readonly #child: ChildProcess;
  readonly #output: Socket;
  readonly #ending: Promise<Ending>;

  private constructor(child: ChildProcess, output: Socket) {
    this.#child = child;
    this.#output = output;
    this.#ending = once(child, "exit").then(([exitCode, signal]) => ({ exitCode, signal }) as Ending);
    // Who awaits it is told; nobody may be there yet.
    this.#ending.catch(() => {});
  }

  /** Resolves once the program has begun; rejects when the gate itself cannot be started or the host cannot say go. */
  static async launch({ command, directory, environment, started, onOutput }: Launch): Promise<ProcessGroup> {
    const { writeDescriptor, output } = await openOutputPipe();
    // What a descendant in another group does with its end when this one is closed is its own affair.
    output.on("error", () => {});
    try {
      const child = await spawnGate(command, directory, environment, writeDescriptor);
      const group = new ProcessGroup(child, output);
      output.on("data", onOutput);
      const word = child.stdio[3] as Writable;
      word.on("error", () => {});
      try {
        await started(child.pid!);
        word.end("go\n");
      } catch (error) {
        word.destroy();
        throw error;
      }
      return group;
    } catch (error) {
      output.destroy();
      throw error;
    }
  }

  /** How the program itself ended. */
  ended(): Promise<Ending> {
    return this.#ending;
  }

  /** SIGTERM to all members, SIGKILL to those left after the grace; resolves when none is alive. */
  async end(graceMs: number): Promise<void> {
    this.#signal("SIGTERM");
    for (const deadline = Date.now() + graceMs; Date.now() < deadline && this.#isAlive(); ) await sleep(20);
    while (this.#isAlive()) {
      this.#signal("SIGKILL");
      await sleep(10);
    }
  }

  /** What the program left behind in its group ends with it, and its output is read to the end. */
  async clear(): Promise<void> {
    while (this.#isAlive()) {
      this.#signal("SIGKILL");
      await sleep(10);
    }
    await this.#readToTheEnd();
    this.#output.destroy();
  }

  // All that the dead have written is in the pipe, and one turn of the event loop reads more than a pipe holds; the
  // first of these turns may be over already. A descendant that left the group may hold the pipe open and talk on: what
  // it says is not waited for.
  async #readToTheEnd(): Promise<void> {
    for (let turn = 0; turn < 3 && !this.#output.closed; turn++) await nextTurn();
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#child.pid!, signal);
    } catch {
      // The group is gone.
    }
  }

  #isAlive(): boolean {
    try {
      process.kill(-this.#child.pid!, 0);
    } catch {
      return false;
    }
    // The number answers for the dead as well until process 1 has collected them.
    return readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && this.#isLiveMember(pid));
  }

  #isLiveMember(pid: string): boolean {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(group) === this.#child.pid && state !== "Z" && state !== "X";
    } catch {
      return false;
    }
  }
}

/** Rejects with the system's error when no process can be made. */
async function spawnGate(command: string[], cwd: string, env: Record<string, string>, output: number) {
  try {
    const child = spawn("/bin/sh", ["-c", gate, gateName, ...command], {
      cwd,
      env,
      detached: true,
      stdio: ["ignore", output, output, "pipe"],
    });
    await once(child, "spawn");
    return child;
  } finally {
    closeSync(output);
  }
}
