import { PluginError } from "gantry";

/** Throws UPLOAD_HTTP_OPTION_INVALID. */
export function parseUrl(address: string): URL {
  const url = URL.parse(address);
  if (url !== null && ["http:", "https:"].includes(url.protocol)) return url;
  // Not a word of the address: it may hold a signature.
  throw new PluginError("UPLOAD_HTTP_OPTION_INVALID", "the upload URL is none of HTTP or HTTPS");
}

/** Without user, password and query, where signatures stand. */
export function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
