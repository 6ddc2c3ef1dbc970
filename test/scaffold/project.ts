// A project of somebody outside: a folder with this repository as its package `gantry`, and with the types of Node.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ended } from "../commands/gantry.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

export class Project implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "gantry-project-")));

  constructor() {
    mkdirSync(join(this.folder, "node_modules"));
    symlinkSync(root, join(this.folder, "node_modules/gantry"));
    symlinkSync(join(root, "node_modules/@types"), join(this.folder, "node_modules/@types"));
    this.write("package.json", { name: "a-project", private: true });
  }

  write(name: string, content: unknown): void {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }

  gantry(...args: string[]): Promise<Ended> {
    return this.#run(process.execPath, join(root, "host/main.ts"), ...args);
  }

  node(...args: string[]): Promise<Ended> {
    return this.#run(process.execPath, ...args);
  }

  /** Checks the types as the configuration of this folder says. */
  check(folder: string): Promise<Ended> {
    return this.#run(process.execPath, join(root, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", folder);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #run(program: string, ...args: string[]): Promise<Ended> {
    const env = {
      ...process.env,
      PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
      // Otherwise a test that is run by a test does nothing.
      NODE_TEST_CONTEXT: undefined,
    };
    const child = spawn(program, args, { cwd: this.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const ended = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        ended[name] += text;
      });
    const [code] = (await once(child, "close")) as [number | null];
    return { code, ...ended };
  }
}

/** What node's test runner says at its end. */
export function countsOf({ stdout }: Ended): { pass: number; fail: number } {
  const count = (word: string) => Number(new RegExp(`^(?:ℹ|#) ${word} (\\d+)$`, "m").exec(stdout)?.[1]);
  return { pass: count("pass"), fail: count("fail") };
}
