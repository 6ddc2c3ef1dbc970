// Addresses: what may be asked, and how they may be shown.

import { PluginError } from "gantry";

/** Throws HTTP_URL_INVALID. */
export function parseUrl(address: string): URL {
  const url = URL.parse(address);
  if (url !== null && ["http:", "https:"].includes(url.protocol)) return url;
  // Not a word of the address: it may hold a password.
  throw new PluginError("HTTP_URL_INVALID", "the address is none of HTTP or HTTPS");
}

/** A URL as it may be shown: without user, password and query. */
export function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
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
