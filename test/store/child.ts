import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { atEnd } from "./store-folder.ts";

/** writing-process.ts at work, with the lines it has printed so far. */
export class WritingProcess {
  readonly child: ChildProcess;
  #text = "";
  #errors = "";
  #changed = () => {};

  constructor(t: TestContext, directory: string, writes?: number) {
    const program = fileURLToPath(new URL("./writing-process.ts", import.meta.url));
    const args = [program, directory, ...(writes === undefined ? [] : [String(writes)])];
    this.child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      this.#changed();
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    atEnd(t, () => this.kill());
    this.child.once("close", () => this.#changed());
  }

  /** Only whole ones: the last may have been cut by a kill. */
  get lines(): string[] {
    return this.#text.split("\n").slice(0, -1);
  }

  /** Resolves once this many lines are there. */
  async printed(count: number): Promise<void> {
    while (this.lines.length < count) {
      if (this.#ended)
        throw new Error(`ended early (${this.child.exitCode ?? this.child.signalCode}): ${this.#errors}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  async kill(): Promise<void> {
    if (this.#ended) return;
    const closed = once(this.child, "close");
    this.child.kill("SIGKILL");
    await closed;
  }

  async finished(): Promise<number | null> {
    if (!this.#ended) await once(this.child, "close");
    if (this.child.exitCode !== 0) throw new Error(this.#errors);
    return this.child.exitCode;
  }

  get #ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}
