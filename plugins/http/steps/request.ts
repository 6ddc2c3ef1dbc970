import { type OutgoingHttpHeaders, validateHeaderValue } from "node:http";
import { PluginError, parseDuration, type Step } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import { authorizer } from "gantry/toolkit/credentials";
import { readTlsFiles } from "gantry/toolkit/tls-files";
import { urlOf } from "../addresses.ts";
import type { Answer } from "../exchange.ts";
import { checkAnswer, contentOf } from "../expectations.ts";
import { unreadableCertificate } from "../failures.ts";
import type { Config, RequestInput, RequestOutput } from "../plugin.types.ts";
import { follow } from "../redirects.ts";

/** What the connection itself says. */
const ofConnection = [
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
  "expect",
];
const harmless = ["GET", "HEAD", "OPTIONS"];

export function request(config: Config): Step<RequestInput, RequestOutput> {
  return {
    plan: ({ method, url }) => `sends ${method} to ${shown(urlOf(url))}`,

    async run(input, { signal, secret, idempotencyKey }) {
      const url = urlOf(input.url);
      const answer = await follow(url, {
        method: input.method,
        headers: headersOf(input, idempotencyKey),
        body: bodyOf(input),
        tls: readTlsFiles({ ...config, caCert: input.caCert || config.caCert }, unreadableCertificate),
        authorize: authorizer(config, secret),
        allowedHosts: config.allowedHosts,
        maxRedirects: input.maxRedirects,
        maxBodyBytes: input.maxBodyBytes,
        silenceMs: parseDuration(config.silenceTimeout)!,
        signal,
      });
      const content = contentOf(answer);
      checkAnswer(input, answer, content, shown(url));
      return {
        status: answer.status,
        headers: shownHeaders(answer),
        body: content.body,
        json: content.json as RequestOutput["json"],
      };
    },
  };
}

/** In lower case. Throws HTTP_HEADER_INVALID. */
function headersOf({ headers, method, body }: RequestInput, idempotencyKey: string): OutgoingHttpHeaders {
  const all: OutgoingHttpHeaders = { "user-agent": "gantry", accept: "*/*", "accept-encoding": "identity" };
  if (body !== undefined && typeof body !== "string") all["content-type"] = "application/json";
  // A server that knows the header does the same thing once only, however often the step is repeated.
  if (!harmless.includes(method)) all["idempotency-key"] = `"${idempotencyKey.replace(/[^\x21\x23-\x7e]/g, "_")}"`;
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase();
    try {
      if (ofConnection.includes(name)) throw new Error("it belongs to the connection");
      validateHeaderValue(name, value);
    } catch (cause) {
      // Not a word of the value: it may be a secret.
      throw new PluginError("HTTP_HEADER_INVALID", `the header ${name} cannot be sent`, { cause });
    }
    all[name] = value;
  }
  return all;
}

function bodyOf({ body }: RequestInput): Buffer | undefined {
  if (body === undefined) return undefined;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function shownHeaders({ headers }: Answer): Record<string, string> {
  const entries = Object.entries(headers).filter(([name, value]) => name !== "set-cookie" && value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
