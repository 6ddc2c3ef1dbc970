// A real S3 server that checks signatures, dates and digests: OpenStack Swift with its S3 interface, from Debian.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Swift extends AsyncDisposable {
  port: number;
  accessKeyId: string;
  secretAccessKey: string;
}

const program = fileURLToPath(new URL("./swift-server.py", import.meta.url));

/** Needs the part `swift-proxy-server`; see `needs`. */
export async function startSwift(): Promise<Swift> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-swift-"));
  // Debian's own Python: another one in the PATH does not have Swift.
  const child = spawn("/usr/bin/python3", [program, directory], { stdio: ["pipe", "pipe", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-10_000);
  });
  const exited = once(child, "exit").then(() => {
    throw new Error(`Swift ended:\n${log}`);
  });
  exited.catch(() => {});
  const said = once(createInterface(child.stdout), "line");
  const [port] = (await Promise.race([said, exited])) as [string];
  return {
    port: Number(port),
    accessKeyId: "test:tester",
    secretAccessKey: "testing-key",
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited.catch(() => {});
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
