// A real `gantry up` in a process of its own, for tests that stop and kill it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../../host/sdk.ts";
import { nodeOptions } from "../../host/testing/life-elsewhere.ts";

const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

export interface HostFolder {
  directory: string;
  config: string;
  data: string;
}

/** A folder with plugins.json and a workflow folder `workflows/`. */
export async function makeHostFolder(
  directory: string,
  configuration: JsonObject,
  workflows: Record<string, unknown> = {},
): Promise<HostFolder> {
  await mkdir(join(directory, "workflows"), { recursive: true });
  const config = join(directory, "plugins.json");
  await writeFile(config, JSON.stringify(configuration));
  for (const [name, document] of Object.entries(workflows)) {
    await writeFile(join(directory, "workflows", `${name}.json`), JSON.stringify(document));
  }
  return { directory, config, data: join(directory, "data") };
}

export class HostProcess {
  readonly child: ChildProcess;
  /** Everything written to standard error so far. */
  log = "";
  readonly #ready: Promise<void>;

  constructor(folder: HostFolder, environment: NodeJS.ProcessEnv = {}, more: string[] = []) {
    const args = [...nodeOptions, main, "up", "--config", folder.config, "--data", folder.data, ...more];
    this.child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    let ready!: () => void;
    let failed!: (error: Error) => void;
    this.#ready = new Promise((resolve, reject) => {
      ready = resolve;
      failed = reject;
    });
    this.#ready.catch(() => {});
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
      if (this.log.includes("gantry ready")) ready();
    });
    this.child.on("exit", (code, signal) =>
      failed(new Error(`the host ended (${code ?? signal}) before it was ready:\n${this.log}`)),
    );
  }

  get pid(): number {
    return this.child.pid!;
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  /** Log lines that are JSON, as objects. */
  lines(): Record<string, unknown>[] {
    return this.log
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Resolves once the process is gone, whoever ended it. */
  async gone(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill(signal);
      await ended;
    }
    return this.child.exitCode;
  }
}
