// What the server says, in this plugin's codes. Its own words stay outside: they repeat what was signed.

import { PluginError } from "gantry";
import type { PutInput } from "./plugin.types.ts";

interface ServerError {
  statusCode?: number;
  code?: string;
  response?: { headers: { get(name: string): string | undefined } };
}

const codes: [string, string[]][] = [
  ["UPLOAD_AZURE_CONTAINER_MISSING", ["ContainerNotFound", "ContainerBeingDeleted", "ResourceNotFound"]],
  [
    "UPLOAD_AZURE_EXISTS",
    ["UnauthorizedBlobOverwrite", "BlobImmutableDueToPolicy", "BlobAlreadyExists", "LeaseIdMissing"],
  ],
  ["UPLOAD_AZURE_CORRUPTED", ["Md5Mismatch", "Crc64Mismatch"]],
  ["UPLOAD_AZURE_BLOCKS_GONE", ["InvalidBlockList"]],
  ["UPLOAD_AZURE_SERVER_ERROR", ["ServerBusy", "InternalError", "OperationTimedOut"]],
];

export function serverFailure(error: unknown, { container, name, sharedAccessSignature }: PutInput): PluginError {
  if (error instanceof PluginError) return error;
  const { statusCode: status, code = "", response } = error as ServerError;
  // Nothing of the server's: a fault of this program, or of the SDK.
  if (status === undefined) throw error;
  const reason = /^[A-Za-z0-9]{1,60}$/.test(code) ? code : "";
  const said = [reason, `status ${status}`].filter((part) => part !== "").join(", ");
  const isDenied = status === 401 || status === 403;
  const isOutOfTime = isDenied && !isValidAt(sharedAccessSignature, response?.headers.get("date"));
  return new PluginError(
    isOutOfTime ? "UPLOAD_AZURE_SAS_EXPIRED" : codeOf(reason, status),
    `${container}/${name} is not stored: ${isOutOfTime ? "the signature is not valid at this time, " : ""}${said}`,
    { details: { status, reason } },
  );
}

export const isDenied = (error: unknown) => (error as ServerError).statusCode === 403;
export const isMissing = (error: unknown) => (error as ServerError).statusCode === 404;

/** At the server's time, which is the one that counts. */
function isValidAt(sharedAccessSignature: string, date: string | undefined): boolean {
  const now = Date.parse(date ?? "") || Date.now();
  const parameters = new URLSearchParams(sharedAccessSignature);
  const at = (name: string) => Date.parse(parameters.get(name) ?? "");
  return !(at("se") <= now || at("st") > now);
}

function codeOf(reason: string, status: number): string {
  for (const [code, reasons] of codes) if (reasons.includes(reason)) return code;
  if (status >= 500 || status === 408 || status === 429) return "UPLOAD_AZURE_SERVER_ERROR";
  return status === 401 || status === 403 ? "UPLOAD_AZURE_DENIED" : "UPLOAD_AZURE_REFUSED";
}
