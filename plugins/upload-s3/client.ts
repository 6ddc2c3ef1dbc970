// The SDK's client, with connections of this plugin's own: so a part is read from the disk while it is sent, silence is
// noticed, and certificates and proxies are those of all uploads. The SDK signs, and reads the answers.

import { Readable } from "node:stream";
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { connectionFailure, sendUpload, type UploadConnections, uploadChunks } from "gantry/toolkit/uploads";
import { checkPlace, parseEndpoint } from "./place.ts";
import type { Config, PutInput } from "./plugin.types.ts";

/** A request as the SDK hands it over, signed. */
interface SignedRequest {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: unknown;
}

/** Rejects with UPLOAD_S3_OPTION_INVALID. */
export async function openClient(input: PutInput, config: Config, connections: UploadConnections): Promise<S3Client> {
  checkPlace(input);
  const { S3Client } = await import("./sdk.ts");
  const { accessKeyId, secretAccessKey, sessionToken, endpoint, region, pathStyle } = input;
  return new S3Client({
    region,
    ...(endpoint == null ? {} : { endpoint: parseEndpoint(endpoint).href }),
    forcePathStyle: pathStyle,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken == null ? {} : { sessionToken }) },
    requestHandler: handlerOf(input, config, connections),
    // The step's `retry` says how often, and keeps the parts that have arrived.
    maxAttempts: 1,
    // What is asked for is given with the request; servers other than Amazon's often know no more.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // What it has to say is said by the step's failure.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
}

function handlerOf(
  input: PutInput,
  config: Config,
  connections: UploadConnections,
): NonNullable<S3ClientConfig["requestHandler"]> {
  const files = { ...config, caCert: input.caCert ?? config.caCert };
  return {
    async handle(request: SignedRequest, { abortSignal }: { abortSignal?: AbortSignal } = {}) {
      const { protocol, hostname, port, path, query } = request;
      const url = new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}/`);
      // Waiting for the server's word before a body is of no use: it can answer at any time.
      const { expect: _, "content-length": length, ...headers } = request.headers;
      const answer = await sendUpload(url, uploadChunks(request.body), {
        method: request.method,
        headers,
        lengthBytes: Number(length ?? 0),
        agent: connections.agentFor(url, files),
        signal: abortSignal!,
        path: path + queryOf(query),
      }).catch((error) => {
        throw connectionFailure(error, url.host);
      });
      const response = { statusCode: answer.status, reason: answer.reason, headers: answer.headers };
      return { response: { ...response, body: Readable.from([answer.body]) } };
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  } as unknown as NonNullable<S3ClientConfig["requestHandler"]>;
}

function queryOf(query: SignedRequest["query"]): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    [value].flat().map((each) => (each == null ? encoded(name) : `${encoded(name)}=${encoded(each)}`)),
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
