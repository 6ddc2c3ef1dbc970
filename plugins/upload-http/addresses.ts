import { PluginError } from "gantry";
import { parseUrl } from "gantry/toolkit/addresses";

/** Throws UPLOAD_HTTP_OPTION_INVALID. */
export function urlOf(address: string): URL {
  const url = parseUrl(address);
  // Not a word of the address: it may hold a password.
  if (url === null) throw new PluginError("UPLOAD_HTTP_OPTION_INVALID", "the upload URL is none of HTTP or HTTPS");
  return url;
}
