// A real server of Azure Blob Storage's interface, which checks signatures, permissions and digests: Azurite.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

export interface Azurite extends AsyncDisposable {
  port: number;
  /** Of the account. */
  accountName: string;
  accountKey: string;
}

const program = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");

export async function startAzurite(): Promise<Azurite> {
  const [accountName, accountKey] = ["tests", Buffer.from("a key made up for tests").toString("base64")];
  const options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry"];
  const child = spawn(process.execPath, [program, ...options, "--silent", "--skipApiVersionCheck"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, AZURITE_ACCOUNTS: `${accountName}:${accountKey}` },
  });
  const exited = once(child, "exit");
  for await (const line of createInterface(child.stdout)) {
    const [, port] = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (port === undefined) continue;
    child.stdout.resume();
    return {
      port: Number(port),
      accountName,
      accountKey,
      async [Symbol.asyncDispose]() {
        child.kill("SIGTERM");
        await exited;
      },
    };
  }
  throw new Error("Azurite does not start");
}
