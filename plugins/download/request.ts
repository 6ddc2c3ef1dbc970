// Opens a URL: redirects followed within bounds, credentials for each server of its own.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { PluginError } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import type { Authorize } from "gantry/toolkit/credentials";
import { get } from "./connection.ts";

const maxRedirects = 5;
const redirectStatuses = [301, 302, 303, 307, 308];

export interface OpenOptions {
  /** `Range` and the like; the same for each server on the way. */
  headers: IncomingHttpHeaders;
  tls: SecureContextOptions;
  authorize: Authorize;
  silenceMs: number;
  bytesPerSecond: number | undefined;
  signal: AbortSignal;
}

/** The first answer that is no redirect, with its body still to come. */
export async function openUrl(start: URL, { headers, authorize, ...options }: OpenOptions): Promise<IncomingMessage> {
  let url = start;
  for (let redirects = 0; ; redirects++) {
    const authorization = await authorize(url);
    const response = await get(url, {
      ...options,
      headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    });
    if (!redirectStatuses.includes(response.statusCode!)) return response;
    response.destroy();
    url = redirected(url, response.headers.location, redirects);
  }
}

function redirected(from: URL, location: string | undefined, redirects: number): URL {
  const refuse = (why: string) => new PluginError("DOWNLOAD_REDIRECT_REFUSED", `${shown(from)}: ${why}`);
  if (redirects >= maxRedirects)
    throw new PluginError("DOWNLOAD_REDIRECT_LOOP", `${shown(from)} redirects after ${maxRedirects} redirects again`);
  const to = location === undefined ? null : URL.parse(location, from.href);
  if (to === null || !["http:", "https:"].includes(to.protocol)) throw refuse("a redirect leads nowhere");
  if (from.protocol === "https:" && to.protocol === "http:") throw refuse("a redirect leads from HTTPS to HTTP");
  return to;
}
