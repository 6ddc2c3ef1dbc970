// What a system, a library or a server says, in this plugin's codes.

import { PluginError } from "gantry";
import { type TlsProblem, tlsProblemOf } from "gantry/toolkit/tls-problems";

const tlsCodes: Record<TlsProblem, string> = {
  untrusted: "HTTP_TLS_UNTRUSTED",
  "wrong-name": "HTTP_TLS_WRONG_NAME",
  expired: "HTTP_TLS_EXPIRED",
  failed: "HTTP_TLS_FAILED",
};

/** `where` is the URL as it may be shown. */
export function connectionFailure(error: unknown, where: string): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const options = { cause: error, details: { reason: code } };
  // Node's own words for a proxy repeat its address, with the password in it.
  if (code.startsWith("ERR_PROXY")) {
    const status = (error as { statusCode?: number }).statusCode;
    const answer = status === undefined ? "" : `; it answered with status ${status}`;
    return new PluginError("HTTP_PROXY_FAILED", `the proxy on the way to ${where} opens no tunnel${answer}`, {
      details: { reason: code, ...(status === undefined ? {} : { status }) },
      retryable: status === undefined || status >= 500,
    });
  }
  const said = `${where}: ${message || code}`;
  const problem = tlsProblemOf(code);
  if (problem !== undefined)
    return new PluginError(tlsCodes[problem], code === "" ? said : `${said} (${code})`, options);
  return new PluginError("HTTP_UNREACHABLE", said, options);
}

export const silent = (where: string, silenceMs: number) =>
  new PluginError("HTTP_SILENT", `${where} said nothing for ${silenceMs} ms`);

export const unreadableCertificate = (message: string, cause?: unknown) =>
  new PluginError("HTTP_CERTIFICATE_UNREADABLE", message, { cause });
