// A program in a process group of its own, which does not begin before it is let go, and of which nothing is left when
// it has ended.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";
import type { Writable } from "node:stream";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.ts";
import { gateArguments } from "./gate.ts";
import type { Pipe, Pipes } from "./pipes.ts";

export interface Launch {
  command: string[];
  directory: string;
  environment: Record<string, string>;
  /** Whose rights it has; undefined: those of the host. */
  account: Account | undefined;
  /** An open file that is its standard input. */
  input: number | "ignore";
  /** As `nice` counts: 19 is the most modest. */
  niceness: number | undefined;
  memoryBytes: number | undefined;
  pipes: Pipes;
  /** Called with the group's number before the program begins; it begins when this resolves. */
  started(group: number): Promise<void>;
  onOutput(chunk: Buffer): void;
  /** Where given, the program has a descriptor 3, and what it writes there comes here. */
  onStatus: ((chunk: Buffer) => void) | undefined;
}

export interface Ending {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

/** The system does not let the program have this priority. */
export class PriorityRefused extends Error {}

export class ProcessGroup {
  readonly #child: ChildProcess;
  readonly #pipes: Pipe[];
  readonly #ending: Promise<Ending>;

  private constructor(child: ChildProcess, pipes: Pipe[]) {
    this.#child = child;
    this.#pipes = pipes;
    this.#ending = once(child, "exit").then(([exitCode, signal]) => ({ exitCode, signal }) as Ending);
    // Who awaits it is told; nobody may be there yet.
    this.#ending.catch(() => {});
  }

  /** Resolves once the program has begun; rejects when the gate itself cannot be started or the host cannot say go. */
  static async launch(options: Launch): Promise<ProcessGroup> {
    const { account, niceness, pipes, started, onOutput, onStatus } = options;
    const opened: Pipe[] = [];
    try {
      // Both outputs are one pipe, so that their order is kept.
      opened.push(await pipes.open(account));
      if (onStatus !== undefined) opened.push(await pipes.open(account));
      const child = await spawnGate(options, opened);
      const group = new ProcessGroup(child, opened);
      opened[0]!.output.on("data", onOutput);
      if (onStatus !== undefined) opened[1]!.output.on("data", onStatus);
      const word = child.stdio[3] as Writable;
      word.on("error", () => {});
      try {
        if (niceness !== undefined) setNiceness(child.pid!, niceness);
        await started(child.pid!);
        word.end("go\n");
      } catch (error) {
        word.destroy();
        throw error;
      }
      return group;
    } catch (error) {
      for (const pipe of opened) await pipe.close();
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
    for (const pipe of this.#pipes) await pipe.close();
  }

  // All that the dead have written is in the pipe, and one turn of the event loop reads more than a pipe holds; the
  // first of these turns may be over already. A descendant that left the group may hold the pipe open and talk on: what
  // it says is not waited for.
  async #readToTheEnd(): Promise<void> {
    for (let turn = 0; turn < 3 && !this.#pipes.every(({ output }) => output.closed); turn++) await nextTurn();
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
async function spawnGate(options: Launch, [output, status]: Pipe[]): Promise<ChildProcess> {
  const { command, directory, environment, account, input, memoryBytes } = options;
  try {
    const gate = gateArguments({ memoryBytes, hasStatus: status !== undefined });
    const child = spawn("/bin/sh", [...gate, ...command], {
      cwd: directory,
      env: { ...environment, ...(status === undefined ? {} : { GANTRY_STATUS_FD: "3" }) },
      detached: true,
      stdio: [
        ...[input, output!.writeDescriptor, output!.writeDescriptor, "pipe" as const],
        ...(status === undefined ? [] : [status.writeDescriptor]),
      ],
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    });
    await once(child, "spawn");
    return child;
  } finally {
    output!.closeWriteEnd();
    status?.closeWriteEnd();
  }
}

function setNiceness(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch (error) {
    throw new PriorityRefused((error as Error).message, { cause: error });
  }
}
