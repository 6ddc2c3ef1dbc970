// A real WebDAV server, rclone's, on a folder; and a gate on the way to it that lets only so much through.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { delimiter, join } from "node:path";

export const needsRclone = hasRclone()
  ? false
  : "needs rclone, which is not installed (Debian: apt-get install rclone)";

function hasRclone(): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, "rclone"));
      return true;
    } catch {
      return false;
    }
  });
}

export interface DavServer extends AsyncDisposable {
  port: number;
}

export async function serveDav(folder: string, username: string, password: string): Promise<DavServer> {
  const access = ["--addr", "127.0.0.1:0", "--user", username, "--pass", password];
  const child = spawn("rclone", ["serve", "webdav", folder, ...access, "--dir-cache-time", "0s"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const found = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(said);
      if (found !== null) resolve(Number(found[1]));
    });
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`rclone ended with ${code}: ${said}`)));
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

export interface Gate extends DavServer {
  /** How many bytes of requests go through; the rest waits for `open`. */
  close(afterBytes: number): void;
  open(): void;
  /** Whether something waits. */
  readonly isHolding: boolean;
}

export async function gateTo(port: number): Promise<Gate> {
  let left = Number.POSITIVE_INFINITY;
  const held = new Set<Socket>();
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(port, "127.0.0.1");
    for (const [one, other] of [[from, to] as const, [to, from] as const]) {
      sockets.add(one);
      one
        .on("error", () => other.destroy())
        .on("close", () => {
          sockets.delete(one);
          held.delete(one);
          other.destroy();
        });
    }
    to.pipe(from);
    from.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      to.write(chunk);
      if (left > 0) return;
      from.pause();
      held.add(from);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    close(afterBytes) {
      left = afterBytes;
    },
    open() {
      left = Number.POSITIVE_INFINITY;
      for (const socket of held) socket.resume();
      held.clear();
    },
    get isHolding() {
      return held.size > 0;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
