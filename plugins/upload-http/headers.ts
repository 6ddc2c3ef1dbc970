import { type OutgoingHttpHeaders, validateHeaderName, validateHeaderValue } from "node:http";
import { PluginError } from "gantry";

/** What the connection and the body themselves say. */
const ownHeaders = [
  ...["host", "connection", "keep-alive", "proxy-connection", "upgrade", "expect", "te", "trailer"],
  ...["content-length", "content-range", "transfer-encoding"],
];
/** How much of a name is shown. */
const shownLength = 100;

/** In lower case, of the members that begin with the prefix. Throws UPLOAD_HTTP_HEADER_INVALID. */
export function headersOf(given: Record<string, string>, prefix: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { "user-agent": "gantry", "content-type": "application/x-binary" };
  for (const [key, value] of Object.entries(given)) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length).toLowerCase();
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      if (ownHeaders.includes(name)) throw new Error("it belongs to the connection");
    } catch {
      // Not a word of the value: it may be a secret.
      const shown = JSON.stringify(name.slice(0, shownLength));
      throw new PluginError("UPLOAD_HTTP_HEADER_INVALID", `the header ${shown} cannot be sent`);
    }
    headers[name] = value;
  }
  return headers;
}
