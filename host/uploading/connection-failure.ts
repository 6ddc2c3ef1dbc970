// What a system or a library says of a connection that failed, in codes.

import { PluginError } from "../plugin-error.ts";

const nameMismatch = ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"];
const outOfDate = ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "CRL_HAS_EXPIRED"];
const unknownAuthority =
  /^(UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED|DEPTH_ZERO|CERT_UNTRUSTED|INVALID_CA)/;
const otherTls =
  /^(ERR_(TLS|SSL|OSSL)|CERT_|CRL_|ERROR_IN_C|UNABLE_TO_|PATH_LENGTH|INVALID_PURPOSE|UNSPECIFIED|EPROTO)/;

/** `where` names the server as it may be shown. What has a code of Gantry's already stays as it is. */
export function connectionFailure(error: unknown, where: string): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = rootOf(error as NodeJS.ErrnoException);
  const details = { reason: code };
  // Node's own words for a proxy repeat its address, with the password in it.
  if (code.startsWith("ERR_PROXY"))
    return new PluginError("UPLOAD_PROXY_FAILED", `the proxy on the way to ${where} opens no tunnel`, { details });
  const said = `${where}: ${message || code}`;
  const tls = tlsCodeOf(code);
  if (tls !== undefined) return new PluginError(tls, `${said} (${code})`, { details, cause: error });
  return new PluginError("UPLOAD_SERVER_UNREACHABLE", said, { details, cause: error });
}

/** Libraries put what the system said into something of their own; several addresses give several errors. */
function rootOf(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  const [first] = (error as { errors?: NodeJS.ErrnoException[] }).errors ?? [];
  return first ?? error;
}

function tlsCodeOf(code: string): string | undefined {
  if (nameMismatch.includes(code)) return "UPLOAD_TLS_WRONG_NAME";
  if (outOfDate.includes(code)) return "UPLOAD_TLS_EXPIRED";
  if (unknownAuthority.test(code)) return "UPLOAD_TLS_UNTRUSTED";
  return otherTls.test(code) ? "UPLOAD_TLS_FAILED" : undefined;
}
