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
  /** By path; a file in parts is here once it is complete. Empty with `forget`. */
  files: Map<string, Buffer>;
  /** Their SHA-256 by path, also with `forget`. */
  digests: Map<string, string>;
  /** By path, of the last request. */
  headers: Map<string, IncomingHttpHeaders>;
  methods: Map<string, string>;
  /** How many requests it has had at the same time, at most. */
  most: number;
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
  /** Answers nobody before there are so many requests at the same time. */
  holdUntil?: number;
}

export async function startPutServer(options: PutServerOptions = {}): Promise<PutServer> {
  const { tls, authorization, ranges = "308", status, forget = false, holdUntil = 0 } = options;
  const files = new Map<string, Buffer>();
  const headers = new Map<string, IncomingHttpHeaders>();
  const methods = new Map<string, string>();
  const digests = new Map<string, string>();
  const sessions = new Map<string, Taken>();

  const held = Promise.withResolvers<void>();
  let busy = 0;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (status !== undefined) return void response.writeHead(status).end();
    const path = decodeURIComponent(new URL(request.url!, "http://localhost").pathname);
    if (path.startsWith("/private/") && request.headers.authorization !== authorization)
      return void response.writeHead(403).end("<secret of the server>");
    if (path.startsWith("/missing/")) return void response.writeHead(404).end();
    if (path.startsWith("/elsewhere/")) return void response.writeHead(307, { location: "/x" }).end();
    if (path.startsWith("/large/")) return void response.writeHead(413).end();
    const taken = new Taken(forget);
    const hash = createHash("md5");
    const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(request.headers["content-range"] ?? "");
    const isPart = range !== null && ranges !== "ignored";
    // A part counts once it has come as a whole.
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      hash.update(chunk);
      if (isPart) chunks.push(chunk);
      else taken.add(chunk);
    }
    const md5 = request.headers["content-md5"];
    if (md5 !== undefined && md5 !== hash.digest("base64")) return void response.writeHead(400).end();
    headers.set(path, request.headers);
    methods.set(path, request.method!);
    const keep = (whole: Taken) => {
      digests.set(path, whole.digest());
      if (!forget) files.set(path, Buffer.concat(whole.chunks));
    };
    if (!isPart) {
      keep(taken);
      return void response.writeHead(201).end();
    }
    const has = sessions.get(path) ?? new Taken(forget);
    sessions.set(path, has);
    if (range[1] !== undefined && Number(range[1]) === has.bytes) for (const chunk of chunks) has.add(chunk);
    if (has.bytes === Number(range[3])) {
      keep(has);
      return void response.writeHead(200).end();
    }
    if (ranges === "202") return void response.writeHead(202).end();
    response.writeHead(308, has.bytes === 0 ? {} : { range: `bytes=0-${has.bytes - 1}` }).end();
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    busy += 1;
    response.on("close", () => {
      busy -= 1;
    });
    running.most = Math.max(running.most, busy);
    if (running.most >= holdUntil) held.resolve();
    void held.promise.then(() => take(request, response)).catch(() => response.destroy());
  };
  const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
  const listening = await listen(server);
  const running: PutServer = {
    url: `${tls === undefined ? "http" : "https"}://localhost:${listening.port}`,
    port: listening.port,
    files,
    headers,
    methods,
    digests,
    most: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await listening[Symbol.asyncDispose]();
    },
  };
  return running;
}

/** What has come of a file. */
class Taken {
  readonly chunks: Buffer[] = [];
  bytes = 0;
  readonly #forget: boolean;
  readonly #hash = createHash("sha256");

  constructor(forget: boolean) {
    this.#forget = forget;
  }

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    if (!this.#forget) this.chunks.push(chunk);
  }

  /** To be asked once; whoever sends the last part again gets the same answer. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}
