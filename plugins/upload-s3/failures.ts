// What the server says, in this plugin's codes. Its own words stay outside: they repeat what was signed.

import { PluginError } from "gantry";
import manifest from "./plugin.json" with { type: "json" };

interface ServerError {
  name?: string;
  $metadata?: { httpStatusCode?: number };
}

const codes: [string, string[]][] = [
  ["UPLOAD_S3_TOKEN_EXPIRED", ["ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"]],
  ["UPLOAD_S3_BUCKET_MISSING", ["NoSuchBucket"]],
  ["UPLOAD_S3_CLOCK_SKEW", ["RequestTimeTooSkewed", "RequestExpired"]],
  [
    "UPLOAD_S3_WRONG_REGION",
    ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"],
  ],
  ["UPLOAD_S3_CORRUPTED", ["BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"]],
  // What was begun is gone: the next attempt begins anew.
  ["UPLOAD_S3_SERVER_ERROR", ["SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "NoSuchUpload"]],
];

/** `what`: bucket and key, for people. */
export function serverFailure(error: unknown, what: string): PluginError {
  if (error instanceof PluginError) return error;
  const { name = "", $metadata } = error as ServerError;
  const status = $metadata?.httpStatusCode;
  // Nothing of the server's: a fault of this program, or of the SDK.
  if (status === undefined) throw error;
  const said =
    /^[A-Za-z0-9]{1,60}$/.test(name) && name !== "UnknownError" ? `${name}, status ${status}` : `status ${status}`;
  return new PluginError(codeOf(name, status), `${what} is not stored: ${said}`, { details: { status, reason: name } });
}

/** Whether the same request will never succeed. */
export function isFinal({ code }: PluginError): boolean {
  const { errors } = manifest;
  return Object.hasOwn(errors, code) && !errors[code as keyof typeof errors].retryable;
}

export const isNoSuchUpload = (error: unknown) => (error as ServerError).name === "NoSuchUpload";

function codeOf(name: string, status: number): string {
  for (const [code, names] of codes) if (names.includes(name)) return code;
  if (status >= 500 || status === 408 || status === 429) return "UPLOAD_S3_SERVER_ERROR";
  if (status === 401 || status === 403) return "UPLOAD_S3_DENIED";
  return status < 400 ? "UPLOAD_S3_WRONG_REGION" : "UPLOAD_S3_REFUSED";
}
