// The command line in a process of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function gantry(...args: string[]): Promise<Ended> {
  return execute(process.execPath, main, ...args);
}

export async function execute(program: string, ...args: string[]): Promise<Ended> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      ended[name] += text;
    });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...ended };
}
