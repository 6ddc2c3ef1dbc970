// A real Mosquitto on a free loopback port, for one test.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface MosquittoOptions {
  /** Further lines of its configuration. */
  config?: string[];
  /** Whether sessions and queued messages survive a restart (it writes them when it stops); default true. */
  persistence?: boolean;
  /** Whether anybody may connect; default true. */
  anonymous?: boolean;
  /** Lines of the listener instead of plain MQTT, with PORT for the port. */
  scheme?: "mqtt" | "mqtts";
}

/** Its end takes what it kept along. */
export interface Mosquitto extends AsyncDisposable {
  port: number;
  url: string;
  /** What it has logged. */
  log(): string;
  stop(): Promise<void>;
  /** Starts it again on the same port, with what it kept. */
  restart(): Promise<void>;
}

/** Debian keeps it in a folder that the PATH of a user often lacks. */
function findProgram(): string {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  const found = folders.map((folder) => join(folder, "mosquitto")).find((file) => existsSync(file));
  if (found === undefined) throw new Error("Mosquitto is not installed (Debian: apt-get install mosquitto)");
  return found;
}

/** Rejects where it is not installed. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const { config = [], persistence = true, anonymous = true, scheme = "mqtt" } = options;
  const program = findProgram();
  const directory = await mkdtemp(join(tmpdir(), "mosquitto-"));
  const port = await freePort();
  const file = join(directory, "mosquitto.conf");
  const kept = persistence ? ["persistence true", `persistence_location ${directory}/`] : ["persistence false"];
  const lines = [
    // As root it would become a user who cannot write into the folder.
    ...(process.getuid?.() === 0 ? ["user root"] : []),
    "log_type all",
    "max_queued_messages 0",
    `allow_anonymous ${anonymous}`,
    ...kept,
    `listener ${port} 127.0.0.1`,
    ...config,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  let child: ChildProcess | undefined;
  let log = "";

  const start = async () => {
    child = spawn(program, ["-c", file], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => (log += text));
    for (let attempt = 0; !(await listens(port)); attempt++) {
      if (attempt > 500 || child.exitCode !== null) throw new Error(`mosquitto does not start:\n${log}`);
      await sleep(10);
    }
  };
  const end = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  };

  await start();
  return {
    port,
    url: `${scheme}://localhost:${port}`.replace("localhost", scheme === "mqtt" ? "127.0.0.1" : "localhost"),
    log: () => log,
    stop: end,
    async restart() {
      await end();
      await start();
    },
    async [Symbol.asyncDispose]() {
      await end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
