// A host in a process of its own, as `gantry up` starts it: it can be killed, and its memory and time are its own.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Progress } from "../sdk.ts";
import type { Answer, Question } from "./host-main.ts";
import type { Life, LifeOptions } from "./life.ts";
import type { LoneStepReport } from "./lone-step.ts";
import type { Moment } from "./step-outcome.ts";

/** `.ts` in the repository, `.js` in the package, where this module may lie in the folder beside it. */
const main = fileURLToPath(new URL(`../testing/host-main${import.meta.url.slice(-3)}`, import.meta.url));

interface Asked {
  resolve(report: LoneStepReport | undefined): void;
  reject(error: Error): void;
  onProgress?: (progress: Progress) => void;
}

/** Those that bin/gantry gives Node. */
export const nodeOptions = ["--max-semi-space-size=8"];

export interface ElsewhereOptions extends LifeOptions {
  environment: NodeJS.ProcessEnv;
}

/** Resolves once the host serves; rejects with what it has logged where it ends before. */
export async function beginElsewhere({ onLine, environment, ...options }: ElsewhereOptions): Promise<Life> {
  const child = spawn(process.execPath, [...nodeOptions, main, JSON.stringify(options)], {
    stdio: ["ignore", "inherit", "pipe", "ipc"],
    // A second start then costs half of the first.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "gantry-testing-cache"), ...process.env, ...environment },
  });
  const said: string[] = [];
  createInterface({ input: child.stderr! }).on("line", (line) => {
    said.push(line);
    onLine(line);
  });
  const gone = once(child, "exit").then(() => {});
  const asked = new Map<number, Asked>();
  const withheld = { tell: (_runId: string) => {} };
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  child.on("message", (answer: Answer) => {
    if ("ready" in answer) return resolve();
    if ("withheld" in answer) return withheld.tell(answer.withheld);
    const one = asked.get(answer.to)!;
    if ("progress" in answer) return one.onProgress?.(answer.progress);
    asked.delete(answer.to);
    one.resolve(answer.report);
  });
  void gone.then(() => {
    for (const { reject } of asked.values()) reject(new Error("the host has ended"));
    asked.clear();
  });
  await Promise.race([
    ready,
    gone.then(() => Promise.reject(new Error(`the host ended before it was ready:\n${said.join("\n")}`))),
  ]);
  return new LifeElsewhere(child, gone, asked, withheld);
}

class LifeElsewhere implements Life {
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #asked: Map<number, Asked>;
  readonly #withheld: { tell: (runId: string) => void };
  #lastId = 0;

  constructor(
    child: ChildProcess,
    gone: Promise<void>,
    asked: Map<number, Asked>,
    withheld: { tell: (runId: string) => void },
  ) {
    this.#child = child;
    this.gone = gone;
    this.#asked = asked;
    this.#withheld = withheld;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async advance(durationMs: number): Promise<void> {
    await this.#ask({ advance: durationMs }).answered;
  }

  async dieAt(dieAt: Moment, of: string | undefined): Promise<void> {
    await this.#ask({ dieAt, of }).answered;
  }

  async withhold(withhold: string, onWithheld: (runId: string) => void): Promise<void> {
    this.#withheld.tell = onWithheld;
    await this.#ask({ withhold }).answered;
  }

  async step(...[step, signal, onProgress]: Parameters<Life["step"]>): Promise<LoneStepReport> {
    const { id, answered } = this.#ask({ step }, onProgress);
    const abort = () => this.#child.send({ id, abort: true } satisfies Question);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return (await answered)!;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== 0 && signalCode !== "SIGKILL") throw new Error(`the host ended with ${exitCode ?? signalCode}`);
  }

  kill = () => this.#end("SIGKILL");

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    await this.gone;
  }

  #ask(question: object, onProgress?: (progress: Progress) => void) {
    const id = ++this.#lastId;
    const { promise: answered, resolve, reject } = Promise.withResolvers<LoneStepReport | undefined>();
    this.#asked.set(id, { resolve, reject, ...(onProgress === undefined ? {} : { onProgress }) });
    // A process that is gone answers by its end.
    this.#child.send({ id, ...question } as Question, () => {});
    return { id, answered };
  }
}
