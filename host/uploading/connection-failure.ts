// What a system or a library says of a connection that failed, in codes.

import { PluginError } from "../plugin-error.ts";
import { type TlsProblem, tlsProblemOf } from "../toolkit/tls-problems.ts";

const tlsCodes: Record<TlsProblem, string> = {
  untrusted: "UPLOAD_TLS_UNTRUSTED",
  "wrong-name": "UPLOAD_TLS_WRONG_NAME",
  expired: "UPLOAD_TLS_EXPIRED",
  failed: "UPLOAD_TLS_FAILED",
};

/** `where` names the server as it may be shown. What has a code of Gantry's already stays as it is. */
export function connectionFailure(error: unknown, where: string): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = rootOf(error as NodeJS.ErrnoException);
  const details = { reason: code };
  // Node's own words for a proxy repeat its address, with the password in it.
  if (code.startsWith("ERR_PROXY"))
    return new PluginError("UPLOAD_PROXY_FAILED", `the proxy on the way to ${where} opens no tunnel`, { details });
  const said = `${where}: ${message || code}`;
  const problem = tlsProblemOf(code);
  if (problem !== undefined) return new PluginError(tlsCodes[problem], `${said} (${code})`, { details, cause: error });
  return new PluginError("UPLOAD_SERVER_UNREACHABLE", said, { details, cause: error });
}

/** Libraries put what the system said into something of their own; several addresses give several errors. */
function rootOf(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  const [first] = (error as { errors?: NodeJS.ErrnoException[] }).errors ?? [];
  return first ?? error;
}
