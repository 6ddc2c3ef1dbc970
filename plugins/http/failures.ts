// What a system, a library or a server says, in this plugin's codes.

import { PluginError } from "gantry";

const nameMismatch = ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"];
const outOfDate = ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "CRL_HAS_EXPIRED"];
const unknownAuthority =
  /^(UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED|DEPTH_ZERO|CERT_UNTRUSTED|INVALID_CA)/;
const otherTls =
  /^(ERR_(TLS|SSL|OSSL)|CERT_|CRL_|ERROR_IN_C|UNABLE_TO_|PATH_LENGTH|INVALID_PURPOSE|UNSPECIFIED|EPROTO)/;

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
  const tls = tlsCodeOf(code);
  if (tls !== undefined) return new PluginError(tls, code === "" ? said : `${said} (${code})`, options);
  return new PluginError("HTTP_UNREACHABLE", said, options);
}

function tlsCodeOf(code: string): string | undefined {
  if (nameMismatch.includes(code)) return "HTTP_TLS_WRONG_NAME";
  if (outOfDate.includes(code)) return "HTTP_TLS_EXPIRED";
  if (unknownAuthority.test(code)) return "HTTP_TLS_UNTRUSTED";
  return otherTls.test(code) ? "HTTP_TLS_FAILED" : undefined;
}

export const silent = (where: string, silenceMs: number) =>
  new PluginError("HTTP_SILENT", `${where} said nothing for ${silenceMs} ms`);

export const unreadableCertificate = (message: string, cause?: unknown) =>
  new PluginError("HTTP_CERTIFICATE_UNREADABLE", message, { cause });
