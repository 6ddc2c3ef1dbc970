// Opens a URL: one GET, redirects followed within bounds.

import { readFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { RequestOptions } from "node:https";
import { PluginError } from "gantry";
import { connectionFailure, shown, statusFailure } from "./failures.ts";

const maxRedirects = 5;

export interface OpenOptions {
  caCert: string | undefined;
  silenceMs: number;
  signal: AbortSignal;
}

/** The response with its body still to come; its status is 200. Its silence destroys it with DOWNLOAD_SILENT. */
export async function openUrl(address: string, options: OpenOptions): Promise<IncomingMessage> {
  const ca = options.caCert === undefined ? undefined : readAuthorities(options.caCert);
  let url = new URL(address);
  for (let redirects = 0; ; redirects++) {
    const response = await get(url, ca, options);
    const { statusCode: status = 0, headers } = response;
    if (status === 200) return response;
    response.destroy();
    if (![301, 302, 303, 307, 308].includes(status)) throw statusFailure(status, shown(url));
    url = redirected(url, headers.location, redirects);
  }
}

function redirected(from: URL, location: string | undefined, redirects: number): URL {
  const refuse = (why: string) => new PluginError("DOWNLOAD_REDIRECT_REFUSED", `${shown(from)}: ${why}`);
  if (redirects >= maxRedirects) throw refuse(`more than ${maxRedirects} redirects`);
  const to = location === undefined ? null : URL.parse(location, from.href);
  if (to === null || !["http:", "https:"].includes(to.protocol)) throw refuse("a redirect leads nowhere");
  if (from.protocol === "https:" && to.protocol === "http:") throw refuse("a redirect leads from HTTPS to HTTP");
  return to;
}

function get(url: URL, ca: string | undefined, { silenceMs, signal }: OpenOptions): Promise<IncomingMessage> {
  // As a built-in module: an import would load much that is not needed here (fetch and its parser).
  const { request } = process.getBuiltinModule(
    url.protocol === "https:" ? "node:https" : "node:http",
  ) as typeof import("node:https");
  const auth =
    url.username === "" ? {} : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` };
  const options: RequestOptions = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    ...(url.port === "" ? {} : { port: url.port }),
    path: url.pathname + url.search,
    method: "GET",
    headers: { host: url.host, "user-agent": "gantry", accept: "*/*", "accept-encoding": "identity" },
    agent: false,
    timeout: silenceMs,
    signal,
    minVersion: "TLSv1.2",
    ...auth,
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(options, (response) => {
      // A slow disk holds the reading up; only a silent server is a fault.
      response.socket.setTimeout(silenceMs);
      response.socket.on("timeout", () => {
        if (response.readableFlowing !== false && response.readableLength === 0)
          response.destroy(silent(url, silenceMs));
      });
      resolve(response);
    });
    sent.on("timeout", () => sent.destroy(silent(url, silenceMs)));
    sent.on("error", (error) => reject(signal.aborted ? signal.reason : connectionFailure(error, shown(url))));
    sent.end();
  });
}

function silent(url: URL, silenceMs: number): PluginError {
  return new PluginError("DOWNLOAD_SILENT", `${shown(url)} said nothing for ${silenceMs} ms`);
}

function readAuthorities(file: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, "utf8");
  } catch (cause) {
    throw new PluginError("DOWNLOAD_CA_UNREADABLE", `${file}: ${(cause as Error).message}`, { cause });
  }
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new PluginError("DOWNLOAD_CA_UNREADABLE", `${file} holds no certificate`);
}
