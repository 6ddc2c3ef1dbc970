import { PluginError } from "gantry";

/** Throws DOWNLOAD_URL_INVALID. */
export function parseUrl(address: string): URL {
  const url = URL.parse(address);
  if (url !== null && ["http:", "https:"].includes(url.protocol)) return url;
  // Not a word of the address: it may hold a password.
  throw new PluginError("DOWNLOAD_URL_INVALID", "an address is none of HTTP or HTTPS");
}

/** A URL as it may be shown: without user, password and query. */
export function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
