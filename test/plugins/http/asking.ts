// A server whose handler may misbehave, and the step on it.

import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import type { JsonObject, StepContext } from "../../../host/sdk.ts";
import type { RequestOutput } from "../../../plugins/http/plugin.types.ts";
import { failureOf, runStep, stepContext } from "../../support/step-context.ts";

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface TestServer extends AsyncDisposable {
  url: string;
  port: number;
  seen: Seen[];
}

export async function serve(answer: RequestListener, tls?: ServerOptions): Promise<TestServer> {
  const seen: Seen[] = [];
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers with this text, or this value as JSON. */
export const serveBody = (body: string | object, status = 200) =>
  serve((_, response) => {
    if (typeof body === "string") response.writeHead(status, { "content-type": "text/plain" }).end(body);
    else response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
  });

export function asking(config: JsonObject = {}, overrides: Partial<StepContext> = {}) {
  const context = stepContext(overrides);
  const ask = (url: string, input: JsonObject = {}) =>
    runStep<RequestOutput>("http", "request", { url, ...input }, context, config);
  return {
    context,
    ask,
    failure: (url: string, input?: JsonObject) => failureOf("http", ask(url, input)),
    refused: async (url: string, input?: JsonObject) => (await failureOf("http", ask(url, input))).code,
    [Symbol.dispose]: () => context[Symbol.dispose](),
  };
}
