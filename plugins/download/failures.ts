// What a system or library says, in this plugin's codes.

import { PluginError } from "gantry";

const tlsCodes =
  /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

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

/** A URL as it may be shown: without user, password and query. */
export function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
