// One process with one plugin in it (or several, where the operator has grouped them): started, watched, ended.

import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { GantryError } from "../errors.ts";
import { PluginStopped } from "../loading/in-process.ts";
import type { HostLog } from "../log.ts";
import { Channel, type ChannelFault } from "./channel.ts";
import type { Guard } from "./guard.ts";
import { withoutInherited } from "./inherited-descriptors.ts";
import type { IsolationLimits } from "./limits.ts";
import { endMarked, markName, residentBytes } from "./marked-processes.ts";
import { childModule } from "./node-options.ts";
import { OutputLog } from "./output-log.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface PluginProcessOptions {
  /** Of Node, before the module. */
  nodeOptions: string[];
  /** Beside the mark; nothing of the host's own environment. */
  environment: Record<string, string>;
  directory: string;
  /** Distinguishes it from the other processes of this host. */
  number: number;
  mayRun: boolean;
  memoryLimitMb: number;
  limits: IsolationLimits;
  guard: Guard;
  log: HostLog;
}

/** The functions that the module of the process lends from the beginning. */
export const roots = { setUp: 0, ping: 1, load: 2 } as const;

export class PluginProcess {
  /**
   * Resolves once it and what it has started are gone, with why it ended; `undefined` when it was told to. Only then calls
   * under way reject, so that nothing is repeated beside its own ghost.
   */
  readonly ended: Promise<GantryError | undefined>;
  readonly #options: PluginProcessOptions;
  readonly #child: ChildProcess;
  readonly #channel: Channel;
  readonly #mark: string;
  readonly #outputs: OutputLog[];
  readonly #logLines: TokenBucket;
  readonly #timers: NodeJS.Timeout[] = [];
  #lastReading: Promise<unknown> = Promise.resolve();
  #droppedLines = 0;
  #missedHeartbeats = 0;
  #hasStarted = false;
  #wasTold = false;
  #error: GantryError | undefined;

  constructor(options: PluginProcessOptions) {
    const { limits, guard } = options;
    this.#options = options;
    this.#mark = `${guard.mark}:${options.number}`;
    this.#logLines = new TokenBucket(limits.logLines);
    const child = spawn(process.execPath, [...options.nodeOptions, childModule], {
      cwd: options.directory,
      // A group of its own, which is ended as a whole.
      detached: true,
      stdio: withoutInherited(["ignore", "pipe", "pipe", "pipe"]),
      env: { ...options.environment, [markName]: this.#mark },
    });
    this.#child = child;
    if (child.pid !== undefined) guard.add(child.pid);
    preferForOutOfMemory(child.pid);
    const notices = new TokenBucket(limits.notices);
    this.#channel = new Channel(child.stdio[3] as Socket, {
      messageBytes: limits.messageBytes,
      unreadBytes: limits.unreadBytes,
      ownCalls: { count: 100_000, bytes: Number.POSITIVE_INFINITY },
      foreignCalls: { count: limits.unansweredCalls, bytes: limits.unansweredBytes },
      mayLend: (fn) => fn === roots.setUp,
      kept: limits.kept,
      admitNotice: () => notices.take(),
      onEnd: (fault) => this.#channelEnded(fault),
    });
    const budget = new TokenBucket(limits.outputBytes);
    const onFlood = () => this.fail(new GantryError("PLUGIN_FLOOD", "it prints more than can be logged"));
    this.#outputs = (["stdout", "stderr"] as const).map((stream) => {
      const onLine = (line: string) => this.logLine(() => options.log.info(line, { stream }));
      return new OutputLog(child[stream] as Readable, { onLine, budget, onFlood });
    });
    const { promise, resolve } = Promise.withResolvers<GantryError | undefined>();
    this.ended = promise;
    void this.#untilEnded().then((error) => {
      resolve(error);
      // A turn later: who waits for an answer then finds the plugin's state changed.
      setImmediate(() => this.#channel.close(error ?? new PluginStopped()));
    });
    this.#watch();
  }

  /** `undefined` where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get residentBytes(): number | undefined {
    return this.#child.pid === undefined ? undefined : residentBytes(this.#child.pid);
  }

  get isEnding(): boolean {
    return this.#wasTold || this.#error !== undefined;
  }

  /** A function that the process lends from the beginning. */
  root(name: keyof typeof roots): (...args: unknown[]) => Promise<unknown> {
    const call = this.#channel.root(roots[name]);
    return async (...args) => {
      const answer = await call(...args);
      this.#hasStarted = true;
      return answer;
    };
  }

  /** Writes a line of the plugin's to the host's log, as long as there are not too many. */
  logLine(write: () => void): void {
    if (!this.#logLines.take()) {
      this.#droppedLines += 1;
      return;
    }
    if (this.#droppedLines > 0) this.#options.log.warn(`${this.#droppedLines} log lines of the plugin were dropped`);
    this.#droppedLines = 0;
    write();
  }

  /**
   * Reads for the plugin what may be large, one after the other: many calls together could ask for more than the host can
   * hold, and they may, as long as the process takes what it is answered.
   */
  inTurn = <Value>(read: () => Promise<Value>): Promise<Value> => {
    const reading = this.#lastReading.then(async () => {
      await this.#channel.room();
      return read();
    });
    // By then the answer is on its way.
    const answered = () => new Promise<void>((resolve) => process.nextTick(resolve));
    this.#lastReading = reading.then(answered, answered);
    return reading;
  };

  /** Ends it because of a fault of its own. */
  fail(error: GantryError): void {
    if (this.isEnding) return;
    this.#error = error;
    this.#kill();
  }

  /** Ends it because it is no longer needed; resolves once it is gone. */
  async end(): Promise<void> {
    if (!this.isEnding) {
      this.#wasTold = true;
      this.#kill();
    }
    await this.ended;
  }

  #kill(): void {
    this.#channel.mute();
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      this.#child.kill("SIGKILL");
    }
  }

  #channelEnded(fault: ChannelFault | undefined): void {
    if (fault !== undefined)
      this.fail(new GantryError(fault.kind === "flood" ? "PLUGIN_FLOOD" : "PLUGIN_PROTOCOL", fault.message));
    // As a rule it is ending, and its exit code tells more.
    else this.#timers.push(setTimeout(() => this.fail(new GantryError("PLUGIN_PROTOCOL", "it closed its pipe")), 1000));
  }

  async #untilEnded(): Promise<GantryError | undefined> {
    const child = this.#child;
    const allPrinted = new Promise((resolve) => child.once("close", resolve));
    const [code, signal, failure] = await new Promise<[number | null, NodeJS.Signals | null, Error?]>((resolve) => {
      child.once("exit", (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
      child.once("error", (error) => resolve([null, null, error]));
    });
    for (const timer of this.#timers) clearTimeout(timer);
    // What it printed last may still be on its way; what it started may hold the pipe for ever.
    if (!this.#wasTold && failure === undefined) await Promise.race([allPrinted, sleep(500)]);
    for (const output of this.#outputs) output.close();
    if (!this.#wasTold) this.#error ??= this.#crash(code, signal, failure);
    this.#channel.mute();
    if (child.pid !== undefined) {
      if (this.#options.mayRun) await endMarked(child.pid, this.#mark);
      this.#options.guard.remove(child.pid);
    }
    return this.#error;
  }

  #crash(code: number | null, signal: NodeJS.Signals | null, failure?: Error): GantryError {
    if (failure !== undefined)
      return new GantryError("PLUGIN_CRASHED", `its process could not be started: ${failure.message}`);
    const tail = this.#outputs[1]!.tail;
    if (/heap out of memory|Array buffer allocation failed/.test(tail))
      return new GantryError("PLUGIN_MEMORY", `it needs more than ${this.#options.memoryLimitMb} MB`);
    const how = code === null ? `was ended by ${signal}` : `ended by itself with exit code ${code}`;
    const words = lastWords(tail);
    return new GantryError("PLUGIN_CRASHED", `its process ${how}${words === undefined ? "" : `: ${words}`}`);
  }

  #watch(): void {
    const { limits, memoryLimitMb } = this.#options;
    const ping = this.root("ping");
    let isWaiting = false;
    const beat = () => {
      // Counted and not timed: a machine that slept, or a host that was busy, is no fault of the plugin.
      if (isWaiting) {
        // How long a start may take is for whoever waits for it to say.
        if (!this.#hasStarted) return;
        this.#missedHeartbeats += 1;
        if (this.#missedHeartbeats < limits.missedHeartbeats) return;
        const seconds = Math.round((limits.heartbeatMs * limits.missedHeartbeats) / 1000);
        this.fail(new GantryError("PLUGIN_UNRESPONSIVE", `it has given no sign of life for ${seconds} s`));
        return;
      }
      isWaiting = true;
      const answered = () => {
        isWaiting = false;
        this.#missedHeartbeats = 0;
      };
      ping().then(answered, () => {});
    };
    const weigh = () => {
      const bytes = this.residentBytes;
      if (bytes === undefined || bytes <= memoryLimitMb * 1_048_576) return;
      const megabytes = Math.round(bytes / 1_048_576);
      this.fail(new GantryError("PLUGIN_MEMORY", `it holds ${megabytes} MB, at most ${memoryLimitMb} are allowed`));
    };
    for (const timer of [setInterval(beat, limits.heartbeatMs), setInterval(weigh, limits.memoryCheckMs)])
      this.#timers.push(timer.unref());
  }
}

/** Where the machine runs out of memory, a plugin goes before the host. */
function preferForOutOfMemory(pid: number | undefined): void {
  try {
    if (pid !== undefined) writeFileSync(`/proc/${pid}/oom_score_adj`, "500");
  } catch {
    // Not possible everywhere, and a wish only.
  }
}

// Of a stack as Node prints it, the line that names the error.
function lastWords(tail: string): string | undefined {
  const lines = tail.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("Node.js v"));
  return (lines.findLast((line) => /^(?:\w*Error|Uncaught)\b/.test(line)) ?? lines.at(-1))?.trim();
}
