// Stands between a client and an HTTP server, and does to its requests what networks and servers do to requests.

import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { crc32 } from "node:zlib";
import type { Certificate } from "./certificates.ts";
import { listen } from "./listen.ts";

export interface Passing {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  /** How much of the body has come so far. */
  bytes: number;
  /** Of the body, once it has come. */
  md5?: string;
  sha256?: string;
  crc32?: number;
  /** Of the answer; undefined where there was none. */
  status?: number;
}

/**
 * A number is answered at once; `hang` takes the request and says nothing; `spoil` changes the body's first byte; a cut
 * ends the connection after so many bytes of the body.
 */
export type Fate = "pass" | "hang" | "spoil" | number | { cutAfter: number };

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

/** `tls`: what its own clients see; the server behind it has none. */
export async function unrulyProxy(
  serverPort: number,
  { tls }: { tls?: Pick<Certificate, "cert" | "key"> } = {},
): Promise<UnrulyProxy> {
  const sockets = new Set<Socket>();
  const server = tls === undefined ? createServer() : createTlsServer(tls);
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
    const [md5, sha256] = [createHash("md5"), createHash("sha256")];
    let crc = 0;
    incoming.on("data", (chunk: Buffer) => {
      if (fate === "spoil" && passing.bytes === 0) chunk[0]! ^= 1;
      passing.bytes += chunk.length;
      md5.update(chunk);
      sha256.update(chunk);
      crc = crc32(chunk, crc);
      if (typeof fate === "object" && passing.bytes >= fate.cutAfter) incoming.socket.destroy();
    });
    incoming.on("end", () =>
      Object.assign(passing, { md5: md5.digest("base64"), sha256: sha256.digest("base64"), crc32: crc }),
    );
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
