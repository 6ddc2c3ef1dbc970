// Opens a URL: one GET, redirects followed within bounds.

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { RequestOptions } from "node:https";
import { PluginError } from "gantry";
import { connectionFailure, shown, silent, statusFailure } from "./failures.ts";

const maxRedirects = 5;

export interface OpenOptions {
  caCert: string | undefined;
  silenceMs: number;
  signal: AbortSignal;
}

/** The response with its body still to come; its status is 200. Until it is there, silence is DOWNLOAD_SILENT. */
export async function openUrl(start: URL, options: OpenOptions): Promise<IncomingMessage> {
  const ca = options.caCert === undefined ? undefined : readAuthorities(options.caCert);
  let url = start;
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
    url.username === "" && url.password === "" ? {} : { auth: `${decoded(url.username)}:${decoded(url.password)}` };
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
      // From here on whoever reads the body watches for silence: the socket is silent, too, while a slow disk holds
      // the reading up.
      sent.setTimeout(0);
      resolve(response);
    });
    sent.on("timeout", () => sent.destroy(silent(shown(url), silenceMs)));
    sent.on("error", (error) => reject(signal.aborted ? signal.reason : connectionFailure(error, shown(url))));
    sent.end();
  });
}

// A stray percent sign is allowed in a URL and means itself.
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readAuthorities(file: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, "utf8");
  } catch (cause) {
    throw new PluginError("DOWNLOAD_CA_UNREADABLE", `${file}: ${(cause as Error).message}`, { cause });
  }
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw new PluginError("DOWNLOAD_CA_UNREADABLE", `${file} holds no certificate`);
  try {
    // TLS leaves out what it cannot read, and would then trust nobody.
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (cause) {
    throw new PluginError("DOWNLOAD_CA_UNREADABLE", `${file}: ${(cause as Error).message}`, { cause });
  }
  return pem;
}
