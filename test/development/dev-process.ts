// A real `gantry dev` in a process of its own, on a folder of the test's.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ControlClient, connectControl } from "../../host/control/client.ts";
import type { Json } from "../../host/sdk.ts";
import type { Run } from "../../host/store/store.ts";
import { waitFor } from "../../host/testing/wait-for.ts";

const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

export interface Told {
  event: string;
  plugin?: string;
  code?: string;
  message?: string;
  remedy?: string;
  place?: string;
  what?: string;
  begunAgain?: number;
  uses?: string;
  status?: string;
  output?: Json;
  files?: string[];
  active?: string[];
  error?: { code: string; message: string; place?: string };
}

export class DevProcess implements AsyncDisposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "gantry-dev-")));
  /** Everything it has told so far. */
  told: Told[] = [];
  #child: ChildProcess | undefined;
  #client: ControlClient | undefined;
  /** Where the next `until` begins to look. */
  #seen = 0;
  log = "";

  get pid(): number {
    return this.#child!.pid!;
  }

  write(name: string, content: unknown): void {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  start(...more: string[]): void {
    const args = [main, "dev", "--json", "--config", join(this.folder, "plugins.json"), ...more];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let rest = "";
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.told.push(...lines.map((line) => JSON.parse(line) as Told));
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
  }

  /** The next event that is like this, after the one that was waited for before. */
  async until(like: Partial<Told>): Promise<Told> {
    const isMeant = (told: Told) =>
      Object.entries(like).every(([key, value]) => JSON.stringify(told[key as keyof Told]) === JSON.stringify(value));
    const find = () => {
      const index = this.told.findIndex((told, at) => at >= this.#seen && isMeant(told));
      if (index === -1) return undefined;
      this.#seen = index + 1;
      return this.told[index]!;
    };
    return waitFor(JSON.stringify(like), find, 60_000).catch((error: Error) => {
      const all = this.told.map((told) => JSON.stringify(told)).join("\n");
      throw new Error(`${error.message}\n${all}\n${this.log}`);
    });
  }

  async control(): Promise<ControlClient> {
    this.#client ??= await waitFor("the control socket", () => connectControl(join(this.folder, "data")));
    return this.#client;
  }

  async begin(workflow: string, input: Json = {}): Promise<string> {
    const { runId } = await (await this.control()).call<{ runId: string }>("runs.start", { workflow, input });
    return runId;
  }

  async ended(run: string): Promise<Run> {
    return (await this.control()).call<Run>("runs.wait", { run }, { patient: true });
  }

  async run(workflow: string, input: Json = {}): Promise<Run> {
    return this.ended(await this.begin(workflow, input));
  }

  /** Ctrl-C; gives the exit code. */
  async stop(): Promise<number | null> {
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGINT");
      await ended;
    }
    return child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
