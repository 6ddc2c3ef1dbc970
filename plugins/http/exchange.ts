// One request over a connection of its own, and its answer, read to its end and no further than allowed.

import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { PluginError } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import { connectionFailure, silent } from "./failures.ts";

export interface Sending {
  method: string;
  headers: OutgoingHttpHeaders;
  body: Buffer | undefined;
  tls: SecureContextOptions;
  /** How long the server may say nothing. */
  silenceMs: number;
  maxBodyBytes: number;
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Whatever the status. Rejects with a coded failure or the signal's reason. */
export async function exchange(url: URL, sending: Sending): Promise<Answer> {
  const { signal } = sending;
  try {
    signal.throwIfAborted();
    const response = await send(url, sending);
    try {
      return { status: response.statusCode!, headers: response.headers, body: await bodyOf(response, url, sending) };
    } finally {
      response.destroy();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw connectionFailure(error, shown(url));
  }
}

function send(url: URL, { method, headers, body, tls, silenceMs, signal }: Sending): Promise<IncomingMessage> {
  // As a built-in module: an import would load much that is not needed here (fetch and its parser).
  const { Agent, request } = process.getBuiltinModule(
    url.protocol === "https:" ? "node:https" : "node:http",
  ) as typeof import("node:https");
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const sent: ClientRequest = request(
      {
        host: url.hostname.replace(/^\[|\]$/g, ""),
        ...(url.port === "" ? {} : { port: url.port }),
        path: url.pathname + url.search,
        method,
        headers: { host: url.host, ...headers, ...(body === undefined ? {} : { "content-length": body.length }) },
        // HTTP_PROXY, HTTPS_PROXY and NO_PROXY are heeded by Node's own agent.
        agent: new Agent({ proxyEnv: process.env, keepAlive: false }),
        timeout: silenceMs,
        signal,
        minVersion: "TLSv1.2",
        ...tls,
      },
      (response) => {
        answer = response;
        resolve(response);
      },
    );
    // Once the answer has begun, it is the answer that ends.
    sent.on("timeout", () => (answer ?? sent).destroy(silent(shown(url), silenceMs)));
    sent.on("error", reject);
    sent.end(body);
  });
}

async function bodyOf(response: IncomingMessage, url: URL, { maxBodyBytes }: Sending): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes)
      throw new PluginError("HTTP_BODY_TOO_LARGE", `${shown(url)} answered with more than ${maxBodyBytes} bytes`, {
        details: { maxBodyBytes },
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
