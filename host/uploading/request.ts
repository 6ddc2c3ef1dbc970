// One request with a body that is read as fast as the server takes it, and its answer.

import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Agent } from "node:https";

export interface UploadRequest {
  method: string;
  headers: OutgoingHttpHeaders;
  /** Of the body. */
  lengthBytes: number;
  agent: Agent;
  signal: AbortSignal;
  /** Path and query as they go over the wire; default: those of the URL, which knows no `..`. */
  path?: string;
}

export interface UploadAnswer {
  status: number;
  /** The words behind the status. */
  reason: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** The answers of servers to uploads are short. */
const maxAnswerBytes = 4 << 20;

/**
 * Whatever the status. A chunk of the body is done with when the one after the next is asked for. Rejects with errors of
 * the system, the signal's reason, or what reading the body threw.
 */
export async function sendUpload(
  url: URL,
  body: AsyncIterable<Buffer>,
  { method, headers, lengthBytes, agent, signal, path }: UploadRequest,
): Promise<UploadAnswer> {
  const module = url.protocol === "https:" ? "node:https" : "node:http";
  const { request: open } = process.getBuiltinModule(module) as typeof import("node:https");
  const request = open(url, {
    method,
    headers: { ...headers, "content-length": lengthBytes },
    agent,
    signal,
    ...(path === undefined ? {} : { path }),
  });
  const answered = Promise.withResolvers<IncomingMessage>();
  request.on("response", answered.resolve);
  request.on("error", answered.reject);
  try {
    // A server that answers before it has everything does not want the rest.
    await Promise.race([write(request, body), answered.promise]);
    const response = await answered.promise;
    const { statusCode: status = 0, statusMessage: reason = "" } = response;
    return { status, reason, headers: response.headers, body: await bodyOf(response) };
  } finally {
    answered.promise.catch(() => {});
    if (!request.writableFinished) request.destroy();
  }
}

async function write(request: ClientRequest, body: AsyncIterable<Buffer>): Promise<void> {
  let passed: Promise<void> | undefined;
  for await (const chunk of body) {
    await passed;
    if (request.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Not in the promise: what Node throws at the first chunk, when it writes the headers, must end the request.
    request.write(chunk, () => resolve());
    passed = promise;
  }
  request.end();
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes <= maxAnswerBytes) continue;
    response.destroy();
    break;
  }
  return Buffer.concat(chunks);
}
