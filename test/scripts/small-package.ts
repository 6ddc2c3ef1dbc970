// A package like this repository, only smaller: the same scripts, and one package to install, which lies beside it.

import { execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const scripts = fileURLToPath(new URL("../../scripts/", import.meta.url));

export interface SmallPackage {
  path: string;
  /** Starts `with-node26.mjs FILE ARGUMENT...` there. */
  start(file: string, ...args: string[]): Command;
}

/** `programs` are the files that can be run, with their text. Removed after the test. */
export function makeSmallPackage(t: TestContext, programs: Record<string, string>): SmallPackage {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "gantry-package-")));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const write = (file: string, text: string) => writeFileSync(join(path, file), text);
  mkdirSync(join(path, "scripts"));
  for (const name of ["with-node26.mjs", "lock-file.mjs"]) cpSync(join(scripts, name), join(path, "scripts", name));
  mkdirSync(join(path, "lamp"));
  write("lamp/package.json", JSON.stringify({ name: "lamp", version: "1.0.0" }));
  npm(join(path, "lamp"), "pack", "--pack-destination", path);
  write("package.json", JSON.stringify({ name: "small", dependencies: { lamp: "file:lamp-1.0.0.tgz" } }));
  npm(path, "install", "--package-lock-only");
  for (const [file, text] of Object.entries(programs)) write(file, text);
  return {
    path,
    start: (file, ...args) =>
      new Command(t, process.execPath, [join(path, "scripts", "with-node26.mjs"), file, ...args], { cwd: path }),
  };
}

function npm(cwd: string, ...args: string[]): void {
  execFileSync("npm", [...args, "--offline", "--silent"], { cwd, stdio: ["ignore", "ignore", "inherit"] });
}

/** A process with what it has written so far. */
export class Command {
  readonly child;
  stdout = "";
  stderr = "";
  readonly #closed;

  constructor(t: TestContext, program: string, args: string[], options: SpawnOptions) {
    this.child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.#closed = once(this.child, "close");
    t.after(() => this.child.kill("SIGKILL"));
  }

  async ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    await this.#closed;
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }
}
