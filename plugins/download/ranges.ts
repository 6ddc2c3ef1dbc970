// Going on in the middle of a file: what is asked for, and what the answer turns out to be (RFC 9110, 13 and 14).

import type { IncomingHttpHeaders } from "node:http";
import { PluginError } from "gantry";
import { statusFailure } from "./failures.ts";

/** What a server has said of a file, by which it can be told from a later one at the same address. */
export interface Version {
  etag?: string;
  lastModified?: string;
  totalBytes?: number;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
}

export interface Accepted {
  /** Where in the file the body begins. */
  offset: number;
  version: Version;
}

/** Whether this version can be named to a server so that it gives the rest of no other one. */
export function isNameable(version: Version): boolean {
  return validatorOf(version) !== undefined;
}

/** The headers that ask for the rest; without a validator whoever asks has to hold the whole against a checksum. */
export function rangeHeaders(offset: number, version: Version): IncomingHttpHeaders {
  const validator = validatorOf(version);
  return { range: `bytes=${offset}-`, ...(validator === undefined ? {} : { "if-range": validator }) };
}

/**
 * Whether the body is the whole file or the rest that was asked for from `offset` (0: nothing was asked for).
 * Undefined: there is no rest. Throws DOWNLOAD_CHANGED, DOWNLOAD_RANGE_WRONG or a failure for the status.
 */
export function acceptAnswer(
  { status, headers }: Answer,
  offset: number,
  known: Version,
  where: string,
): Accepted | undefined {
  if (status === 200) return { offset: 0, version: versionOf(headers, wholeLength(headers)) };
  if (offset > 0 && status === 416) {
    // The file ends where the part does: all is here already.
    if (contentRange(headers)?.totalBytes === offset) return undefined;
    throw changed(where);
  }
  if (offset === 0 || status !== 206) throw statusFailure(status, where);
  const range = contentRange(headers);
  if (range?.begin !== offset)
    throw new PluginError("DOWNLOAD_RANGE_WRONG", `${where} gave another part of the file than the one asked for`, {
      details: { asked: `bytes=${offset}-`, given: headers["content-range"] ?? "" },
    });
  const version = versionOf(headers, range.totalBytes);
  const differs = (["etag", "lastModified", "totalBytes"] as const).some(
    (name) => known[name] !== undefined && version[name] !== undefined && known[name] !== version[name],
  );
  if (differs) throw changed(where);
  return { offset, version: { ...known, ...version } };
}

export function changed(where: string): PluginError {
  return new PluginError("DOWNLOAD_CHANGED", `${where} has changed since its first part was fetched`);
}

// A weak validator says that the content means the same, not that its bytes are the same.
function validatorOf({ etag, lastModified }: Version): string | undefined {
  return etag?.startsWith('"') ? etag : lastModified;
}

function versionOf(headers: IncomingHttpHeaders, totalBytes: number | undefined): Version {
  const { etag, "last-modified": lastModified } = headers;
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(totalBytes === undefined ? {} : { totalBytes }),
  };
}

function wholeLength({ "content-length": length }: IncomingHttpHeaders): number | undefined {
  return length === undefined ? undefined : safeInteger(length);
}

function contentRange(headers: IncomingHttpHeaders): { begin?: number; totalBytes?: number } | undefined {
  const [, begin, total] = headers["content-range"]?.match(/^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/) ?? [];
  if (total === undefined) return undefined;
  const beginAt = begin === undefined ? undefined : safeInteger(begin);
  const totalBytes = safeInteger(total);
  return {
    ...(beginAt === undefined ? {} : { begin: beginAt }),
    ...(totalBytes === undefined ? {} : { totalBytes }),
  };
}

function safeInteger(text: string): number | undefined {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}
