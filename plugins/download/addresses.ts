import { PluginError } from "gantry";
import { parseUrl } from "gantry/toolkit/addresses";

/** Throws DOWNLOAD_URL_INVALID. */
export function urlOf(address: string): URL {
  const url = parseUrl(address);
  // Not a word of the address: it may hold a password.
  if (url === null) throw new PluginError("DOWNLOAD_URL_INVALID", "an address is none of HTTP or HTTPS");
  return url;
}
