// One GET over a connection of its own, whose buffers do not pile up.

import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { RequestOptions } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { PluginError } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import { connectionFailure } from "./failures.ts";

/** What one read from the network takes at most; a slow transfer reads a quarter of a second's share. */
const maxReadBytes = 1 << 20;
const minReadBytes = 4096;
/** So many buffers of full size stay for the connections that come next. */
const maxFreeBuffers = 4;
const freeBuffers: Buffer[] = [];

export interface GetOptions {
  headers: IncomingHttpHeaders;
  tls: SecureContextOptions;
  /** How long the server may say nothing before its answer begins. */
  silenceMs: number;
  /** The limit of the transfer, if it has one. */
  bytesPerSecond: number | undefined;
  signal: AbortSignal;
}

/** The response, whatever its status, with its body still to come. Rejects with a coded failure or the signal's reason. */
export function get(
  url: URL,
  { headers, tls, silenceMs, bytesPerSecond = Number.POSITIVE_INFINITY, signal }: GetOptions,
): Promise<IncomingMessage> {
  // As a built-in module: an import would load much that is not needed here (fetch and its parser).
  const { Agent, request } = process.getBuiltinModule(
    url.protocol === "https:" ? "node:https" : "node:http",
  ) as typeof import("node:https");
  const reading = new ReusedBuffer(Math.max(minReadBytes, Math.min(maxReadBytes, Math.ceil(bytesPerSecond / 4))));
  const options: RequestOptions & { onread: object } = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    ...(url.port === "" ? {} : { port: url.port }),
    path: url.pathname + url.search,
    method: "GET",
    headers: { host: url.host, "user-agent": "gantry", accept: "*/*", "accept-encoding": "identity", ...headers },
    // HTTP_PROXY, HTTPS_PROXY and NO_PROXY are heeded by Node's own agent.
    agent: new Agent({ proxyEnv: process.env, keepAlive: false }),
    timeout: silenceMs,
    signal,
    minVersion: "TLSv1.2",
    ...tls,
    onread: reading.onread,
  };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(options, (response) => {
      // From here on whoever reads the body watches for silence: the socket is silent, too, while a slow disk holds
      // the reading up.
      sent.setTimeout(0);
      resolve(response);
    });
    sent.on("socket", (socket) => reading.serve(socket));
    sent.on("timeout", () => sent.destroy(silent(shown(url), silenceMs)));
    sent.on("error", (error) => reject(signal.aborted ? signal.reason : connectionFailure(error, shown(url))));
    sent.end();
  });
}

export function silent(where: string, silenceMs: number): PluginError {
  return new PluginError("DOWNLOAD_SILENT", `${where} said nothing for ${silenceMs} ms`);
}

/**
 * Lets a socket read into the same memory again and again. Node makes a new buffer for each read otherwise, and the
 * collector of garbage, which counts small objects, lets them pile up to 80 MB.
 */
class ReusedBuffer {
  /** Node's setting of that name for a connection. */
  readonly onread: { buffer: Buffer; callback(length: number, buffer: Uint8Array): boolean };
  #socket: Socket | undefined;

  constructor(sizeBytes: number) {
    this.onread = {
      buffer: (sizeBytes === maxReadBytes ? freeBuffers.pop() : undefined) ?? Buffer.allocUnsafeSlow(sizeBytes),
      callback: (length, buffer) => {
        // The parser of HTTP copies what it needs before this returns.
        this.#socket?.emit("data", buffer.subarray(0, length));
        return true;
      },
    };
  }

  serve(socket: Socket): void {
    this.#socket = socket;
    const { buffer } = this.onread;
    // Behind a proxy the connection is made in another way, without `onread`.
    socket.on("data", (chunk: Buffer) => {
      if (chunk.buffer !== buffer.buffer) release(chunk);
    });
    // Nothing is read any more then.
    socket.once("close", () => {
      if (buffer.length === maxReadBytes && freeBuffers.length < maxFreeBuffers) freeBuffers.push(buffer);
    });
  }
}

/** Gives the memory of a buffer back that nobody else has a part of; it is not to be read after this. */
export function release(chunk: Buffer): void {
  if (chunk.byteOffset === 0 && chunk.length === chunk.buffer.byteLength) (chunk.buffer as ArrayBuffer).transfer(0);
}
