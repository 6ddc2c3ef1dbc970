// A server that takes files by PUT and POST, also in parts with Content-Range as resumable sessions do, and holds them
// against what the request says of them.

import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Certificate } from "./certificates.ts";
import { listen } from "./listen.ts";

export interface PutServer extends AsyncDisposable {
  url: string;
  port: number;
  /** By path; a file in parts is here once it is complete. */
  files: Map<string, Buffer>;
  /** By path, of the last request. */
  headers: Map<string, IncomingHttpHeaders>;
  methods: Map<string, string>;
  /** By path: what has come of a file in parts. */
  sessions: Map<string, Buffer[]>;
}

export interface PutServerOptions {
  tls?: Pick<Certificate, "cert" | "key">;
  /** What `authorization` must be below /private/. */
  authorization?: string;
  /** What becomes of Content-Range: 308 for parts (default), 202 for parts, or as if it were not there. */
  ranges?: "308" | "202" | "ignored";
  /** Answers everything with this. */
  status?: number;
  /** Whether contents are thrown away once their length and digest are right. */
  forget?: boolean;
}

export async function startPutServer(options: PutServerOptions = {}): Promise<PutServer> {
  const { tls, authorization, ranges = "308", status, forget = false } = options;
  const files = new Map<string, Buffer>();
  const headers = new Map<string, IncomingHttpHeaders>();
  const methods = new Map<string, string>();
  const sessions = new Map<string, Buffer[]>();

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (status !== undefined) return void response.writeHead(status).end();
    const path = decodeURIComponent(new URL(request.url!, "http://localhost").pathname);
    if (path.startsWith("/private/") && request.headers.authorization !== authorization)
      return void response.writeHead(403).end("<secret of the server>");
    if (path.startsWith("/missing/")) return void response.writeHead(404).end();
    if (path.startsWith("/elsewhere/")) return void response.writeHead(307, { location: "/x" }).end();
    if (path.startsWith("/large/")) return void response.writeHead(413).end();
    const chunks: Buffer[] = [];
    const hash = createHash("md5");
    let bytes = 0;
    for await (const chunk of request) {
      bytes += chunk.length;
      hash.update(chunk);
      if (!forget) chunks.push(chunk);
    }
    const md5 = request.headers["content-md5"];
    if (md5 !== undefined && md5 !== hash.digest("base64")) return void response.writeHead(400).end();
    headers.set(path, request.headers);
    methods.set(path, request.method!);
    const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(request.headers["content-range"] ?? "");
    if (range === null || ranges === "ignored") {
      files.set(path, Buffer.concat(chunks));
      return void response.writeHead(201).end();
    }
    const has = sessions.get(path) ?? [];
    sessions.set(path, has);
    if (range[1] !== undefined && Number(range[1]) === lengthOf(has))
      has.push(forget ? Buffer.alloc(bytes) : Buffer.concat(chunks));
    if (lengthOf(has) === Number(range[3])) {
      files.set(path, Buffer.concat(has));
      return void response.writeHead(200).end();
    }
    if (ranges === "202") return void response.writeHead(202).end();
    response.writeHead(308, lengthOf(has) === 0 ? {} : { range: `bytes=0-${lengthOf(has) - 1}` }).end();
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    void take(request, response).catch(() => response.destroy());
  const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
  const listening = await listen(server);
  return {
    url: `${tls === undefined ? "http" : "https"}://localhost:${listening.port}`,
    port: listening.port,
    files,
    headers,
    methods,
    sessions,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await listening[Symbol.asyncDispose]();
    },
  };
}

const lengthOf = (chunks: Buffer[]) => chunks.reduce((sum, { length }) => sum + length, 0);
