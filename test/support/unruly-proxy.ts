// Stands between a client and an HTTP server, and does to its requests what networks and servers do to requests.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { listen } from "./listen.ts";

export interface Passing {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  /** How much of the body has come so far. */
  bytes: number;
  /** Of the answer; undefined where there was none. */
  status?: number;
}

/** A number is answered at once; `hang` takes the request and says nothing; a cut ends the connection after so many bytes of the body. */
export type Fate = "pass" | "hang" | number | { cutAfter: number };

export interface UnrulyProxy extends AsyncDisposable {
  port: number;
  requests: Passing[];
  /** What becomes of a request; default: all pass. */
  fate: (passing: Passing) => Fate;
  /** How many connections clients have open. */
  open(): number;
  /** Ends them all. */
  cut(): void;
}

export async function unrulyProxy(serverPort: number): Promise<UnrulyProxy> {
  const sockets = new Set<Socket>();
  const server = createServer();
  const listening = await listen(server);
  const proxy: UnrulyProxy = {
    port: listening.port,
    requests: [],
    fate: () => "pass",
    open: () => sockets.size,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      proxy.cut();
      await listening[Symbol.asyncDispose]();
    },
  };
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("request", (incoming: IncomingMessage, outgoing) => {
    const { method = "", url = "", headers } = incoming;
    const passing: Passing = { method, url, headers, bytes: 0 };
    proxy.requests.push(passing);
    const fate = proxy.fate(passing);
    incoming.on("data", (chunk: Buffer) => {
      passing.bytes += chunk.length;
      if (typeof fate === "object" && passing.bytes >= fate.cutAfter) incoming.socket.destroy();
    });
    if (fate === "hang") return;
    if (typeof fate === "number") {
      passing.status = fate;
      incoming.on("end", () => outgoing.writeHead(fate).end());
      return;
    }
    const onward = request({ host: "127.0.0.1", port: serverPort, method, path: url, headers }, (answer) => {
      passing.status = answer.statusCode ?? 0;
      outgoing.writeHead(passing.status, answer.headers);
      answer.pipe(outgoing);
      answer.on("error", () => outgoing.destroy());
    });
    onward.on("error", () => outgoing.destroy());
    incoming.on("close", () => {
      if (!incoming.complete) onward.destroy();
    });
    incoming.pipe(onward);
  });
  return proxy;
}
