// Addresses: what may be asked, and how they may be shown.

import { PluginError } from "gantry";
import { parseUrl, shown } from "gantry/toolkit/addresses";

/** Throws HTTP_URL_INVALID. */
export function urlOf(address: string): URL {
  const url = parseUrl(address);
  // Not a word of the address: it may hold a password.
  if (url === null) throw new PluginError("HTTP_URL_INVALID", "the address is none of HTTP or HTTPS");
  return url;
}

/** Throws HTTP_HOST_NOT_ALLOWED. `allowed` as in the manifest; undefined: any host. */
export function checkAllowed(url: URL, allowed: string[] | undefined): void {
  if (allowed === undefined || allowed.some((entry) => isFor(entry.toLowerCase(), url))) return;
  throw new PluginError("HTTP_HOST_NOT_ALLOWED", `the host of ${shown(url)} is not allowed`, {
    details: { host: url.host },
  });
}

function isFor(entry: string, url: URL): boolean {
  const isNarrow = /^(\*\.)?(\[[^\]]*\]|[^:]*):\d+$/.test(entry);
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  const bare = url.hostname.replace(/\.$/, "");
  const host = isNarrow ? `${bare}:${port}` : bare;
  if (entry.startsWith("*.")) return host.endsWith(entry.slice(1)) && host.length > entry.length - 1;
  return host === entry || host === `[${entry}]`;
}
