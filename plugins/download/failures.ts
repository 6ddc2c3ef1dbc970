// What a system, a library or a server says, in this plugin's codes.

import { PluginError } from "gantry";
import { type TlsProblem, tlsProblemOf } from "gantry/toolkit/tls-problems";
import manifest from "./plugin.json" with { type: "json" };

const tlsCodes: Record<TlsProblem, string> = {
  untrusted: "DOWNLOAD_TLS_UNTRUSTED",
  "wrong-name": "DOWNLOAD_TLS_WRONG_NAME",
  expired: "DOWNLOAD_TLS_EXPIRED",
  failed: "DOWNLOAD_TLS_FAILED",
};

export function connectionFailure(error: unknown, where: string): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const options = { cause: error, details: { reason: code } };
  const said = `${where}: ${message || code}`;
  // Node's own words for a proxy repeat its address, with the password in it.
  if (code.startsWith("ERR_PROXY")) {
    const status = (error as { statusCode?: number }).statusCode;
    const answer = status === undefined ? "" : `; it answered with status ${status}`;
    return new PluginError("DOWNLOAD_PROXY_FAILED", `the proxy on the way to ${where} opens no tunnel${answer}`, {
      details: { reason: code, ...(status === undefined ? {} : { status }) },
      retryable: status === undefined || status >= 500,
    });
  }
  const problem = tlsProblemOf(code);
  if (problem !== undefined)
    return new PluginError(tlsCodes[problem], code === "" ? said : `${said} (${code})`, options);
  return new PluginError("DOWNLOAD_CONNECTION_FAILED", said, options);
}

/** A full disk may have room later; missing rights stay missing. */
export function writeFailure(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const options = { cause: error, details: { reason: code } };
  if (["ENOSPC", "EDQUOT"].includes(code)) return new PluginError("DOWNLOAD_DISK_FULL", message, options);
  const passing = ["EIO", "EMFILE", "ENFILE", "EAGAIN"].includes(code);
  return new PluginError("DOWNLOAD_WRITE_FAILED", message, { ...options, retryable: passing });
}

/** Whether it lies in this device: no other source would do better. */
export function isLocal({ code }: { code: string }): boolean {
  return ["DOWNLOAD_WRITE_FAILED", "DOWNLOAD_DISK_FULL", "DOWNLOAD_CERTIFICATE_UNREADABLE"].includes(code);
}

/** 408, 429 and server errors pass; others stay. */
export function statusFailure(status: number, where: string): PluginError {
  const details = { status };
  if (status === 404 || status === 410)
    return new PluginError("DOWNLOAD_NOT_FOUND", `${where} is not there (status ${status})`, { details });
  if (status === 401 || status === 403)
    return new PluginError("DOWNLOAD_FORBIDDEN", `${where} is not given to this device (status ${status})`, {
      details,
    });
  const retryable = status === 429 || status === 408 || status >= 500;
  return new PluginError("DOWNLOAD_HTTP_STATUS", `${where} answered with status ${status}`, { details, retryable });
}

export function tooLarge(where: string, limitBytes: number): PluginError {
  return new PluginError("DOWNLOAD_TOO_LARGE", `${where} has more than ${limitBytes} bytes`, {
    details: { limitBytes },
  });
}

export function truncated(
  where: string,
  receivedBytes: number,
  totalBytes: number | undefined,
  cause?: unknown,
): PluginError {
  const whole = totalBytes === undefined ? "" : ` of ${totalBytes}`;
  const message = `the body of ${where} ended too early, after ${receivedBytes}${whole} bytes`;
  return new PluginError("DOWNLOAD_TRUNCATED", message, { cause, details: { receivedBytes } });
}

export function wrongSize(where: string, sizeBytes: number, wanted: number): PluginError {
  return new PluginError("DOWNLOAD_SIZE_MISMATCH", `${where} has ${sizeBytes} bytes instead of ${wanted}`, {
    details: { sizeBytes },
  });
}

/** Whether the same download may succeed later, as the manifest says unless the failure knows better. */
export function isPassing({ code, retryable }: PluginError): boolean {
  const entry = (manifest.errors as Record<string, { retryable: boolean }>)[code];
  return retryable ?? entry?.retryable ?? false;
}

export const unreadableCertificate = (message: string, cause?: unknown) =>
  new PluginError("DOWNLOAD_CERTIFICATE_UNREADABLE", message, { cause });
