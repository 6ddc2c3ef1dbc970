// The SDK's client for one blob, with connections of this plugin's own: so a block is read from the disk while it is
// sent, silence is noticed, and certificates and proxies are those of all uploads.

import type { BlockBlobClient, StoragePipelineOptions } from "@azure/storage-blob";
import { connectionFailure, sendUpload, type UploadConnections, uploadChunks } from "gantry/toolkit/uploads";
import { blobUrl } from "./addresses.ts";
import type { Config, PutInput } from "./plugin.types.ts";

type HttpClient = NonNullable<StoragePipelineOptions["httpClient"]>;

export async function openBlob(
  input: PutInput,
  config: Config,
  connections: UploadConnections,
): Promise<BlockBlobClient> {
  const { AnonymousCredential, BlockBlobClient } = await import("./sdk.ts");
  const files = { ...config, caCert: input.caCert ?? config.caCert };
  return new BlockBlobClient(blobUrl(input).href, new AnonymousCredential(), {
    httpClient: { sendRequest: (request) => send(request, files, connections) },
    // The step's `retry` says how often, and keeps the blocks that have arrived.
    retryOptions: { maxTries: 1 },
  });
}

async function send(
  request: Parameters<HttpClient["sendRequest"]>[0],
  files: Parameters<UploadConnections["agentFor"]>[1],
  connections: UploadConnections,
): ReturnType<HttpClient["sendRequest"]> {
  const url = new URL(request.url);
  const { "content-length": length, ...given } = request.headers.toJson({ preserveCase: false });
  const body = typeof request.body === "function" ? request.body() : request.body;
  const answer = await sendUpload(url, uploadChunks(body), {
    method: request.method,
    headers: given,
    lengthBytes: Number(length ?? (typeof body === "string" ? Buffer.byteLength(body) : 0)),
    agent: connections.agentFor(url, files),
    signal: request.abortSignal as AbortSignal,
  }).catch((error) => {
    throw connectionFailure(error, url.host);
  });
  const headers = request.headers.clone();
  for (const { name } of headers.headersArray()) headers.remove(name);
  for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value));
  return { request, status: answer.status, headers, bodyAsText: answer.body.toString() };
}
