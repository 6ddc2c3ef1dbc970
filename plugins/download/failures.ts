// What a system or library says, in this plugin's codes.

import { PluginError } from "gantry";

const tlsCodes =
  /^(ERR_(TLS|SSL|OSSL)|CERT_|CRL_|ERROR_IN_C|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|PATH_LENGTH|HOSTNAME_|INVALID_(CA|PURPOSE)|UNSPECIFIED|EPROTO)/;

export function connectionFailure(error: unknown, where: string): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (tlsCodes.test(code))
    return new PluginError("DOWNLOAD_TLS_FAILED", `${where}: ${message} (${code})`, { cause: error });
  return new PluginError("DOWNLOAD_CONNECTION_FAILED", `${where}: ${message || code}`, {
    cause: error,
    details: { reason: code },
  });
}

/** A full disk may have room later; missing rights stay missing. */
export function writeFailure(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const passing = ["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE", "EAGAIN"].includes(code);
  return new PluginError("DOWNLOAD_WRITE_FAILED", message, {
    cause: error,
    retryable: passing,
    details: { reason: code },
  });
}

export function silent(where: string, silenceMs: number): PluginError {
  return new PluginError("DOWNLOAD_SILENT", `${where} said nothing for ${silenceMs} ms`);
}

/** 429 and server errors pass; others stay. */
export function statusFailure(status: number, where: string): PluginError {
  if (status === 404 || status === 410)
    return new PluginError("DOWNLOAD_NOT_FOUND", `${where} is not there (status ${status})`, { details: { status } });
  const retryable = status === 429 || status === 408 || status >= 500;
  return new PluginError("DOWNLOAD_HTTP_STATUS", `${where} answered with status ${status}`, {
    details: { status },
    retryable,
  });
}

/** Throws DOWNLOAD_URL_INVALID. */
export function parseUrl(address: string): URL {
  const url = URL.parse(address);
  if (url !== null && ["http:", "https:"].includes(url.protocol)) return url;
  // Not a word of the address: it may hold a password.
  throw new PluginError("DOWNLOAD_URL_INVALID", "`url` is no address of HTTP or HTTPS");
}

/** A URL as it may be shown: without user, password and query. */
export function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
