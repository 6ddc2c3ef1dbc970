// One source, once: what is still missing of the file is asked for, and added to the part.

import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { PluginError, type StepContext } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import type { Authorize } from "gantry/toolkit/credentials";
import type { Checksums } from "./checksums.ts";
import { checkSpace } from "./disk-space.ts";
import { tooLarge, wrongSize } from "./failures.ts";
import type { Pace } from "./pace.ts";
import type { Part } from "./part.ts";
import { type Accepted, acceptAnswer, isNameable, rangeHeaders, type Version } from "./ranges.ts";
import { receive } from "./receive.ts";
import type { Report } from "./reports.ts";
import { openUrl } from "./request.ts";

/** What holds for all sources of a file. */
export interface Transfer {
  checksums: Checksums;
  /** The size the file is said to have. */
  wantedBytes: number | undefined;
  limitBytes: number;
  silenceMs: number;
  minBytesPerSecond: number;
  tls: SecureContextOptions;
  authorize: Authorize;
  /** The step's own limit; `pace` keeps it, and that of the run. */
  bytesPerSecond: number | undefined;
  pace: Pace;
  report: Report;
  context: StepContext;
}

/** Resolves with the digests of the whole file, when it is on disk and the wanted one. Throws coded failures. */
export async function fetchSource(url: URL, part: Part, transfer: Transfer): Promise<Record<string, string>> {
  const where = shown(url);
  let isEncoded = false;
  try {
    isEncoded = await receiveMissing(url, part, transfer);
  } catch (error) {
    // Whoever comes next, another source or a later attempt, begins anew.
    if (isOfNoUse(error)) await part.restart();
    throw error;
  }
  const { checksums, wantedBytes } = transfer;
  if (wantedBytes !== undefined && part.bytes < wantedBytes) {
    const sizeBytes = part.bytes;
    await part.restart();
    throw wrongSize(where, sizeBytes, wantedBytes);
  }
  const digests = await part.finish();
  const algorithm = checksums.mismatch(digests);
  if (algorithm === undefined) return digests;
  const { isMixed } = part;
  await part.restart();
  if (isEncoded) throw encoded(where);
  throw new PluginError(
    isMixed ? "DOWNLOAD_CHANGED" : "DOWNLOAD_CHECKSUM_MISMATCH",
    `${where} has another ${algorithm} checksum than expected`,
    { details: { algorithm, actual: digests[algorithm]! } },
  );
}

/** Resolves with whether the server has encoded the file for the way. */
async function receiveMissing(url: URL, part: Part, transfer: Transfer): Promise<boolean> {
  const { checksums, wantedBytes, limitBytes, silenceMs, minBytesPerSecond, context } = transfer;
  const where = shown(url);
  const source = createHash("sha256").update(url.href).digest("hex");
  const isSame = part.isFrom(source);
  const isOneVersion = isSame && isNameable(part.version);
  if (part.bytes > limitBytes || (part.bytes > 0 && !isOneVersion && !checksums.isStrong)) await part.restart();
  const known: Version = isSame ? part.version : sizeOf(part.version);
  const offset = part.bytes;
  if (offset > 0 && offset === (known.totalBytes ?? wantedBytes)) return false;

  const headers = offset > 0 ? rangeHeaders(offset, known) : {};
  const response = await openUrl(url, { ...transfer, headers, signal: context.signal });
  try {
    const accepted = acceptAnswer({ status: response.statusCode!, headers: response.headers }, offset, known, where);
    if (accepted === undefined) return false;
    const isEncoded = checkEncoding(response.headers, checksums, where);
    if (accepted.offset < offset) {
      context.log.info(`${where} starts again at the beginning: the server gives no rest of what was there`);
      await part.restart();
    }
    checkSize(accepted, transfer, where);
    const { totalBytes } = accepted.version;
    await checkSpace(part.path, (totalBytes ?? wantedBytes ?? 0) - part.bytes);
    await part.describe(source, accepted.version, part.bytes > 0 && !isOneVersion);
    await receive(response, part, {
      patience: { silenceMs, minBytesPerSecond, signal: context.signal, where },
      pace: transfer.pace,
      limitBytes,
      totalBytes,
      onBytes: () => transfer.report(part.bytes, totalBytes ?? wantedBytes),
    });
    return isEncoded;
  } finally {
    abandon(response);
  }
}

// What was not read to its end: nobody listens to its complaints any more.
function abandon(response: IncomingMessage): void {
  response.on("error", () => {});
  response.destroy();
}

function checkSize({ version: { totalBytes } }: Accepted, { wantedBytes, limitBytes }: Transfer, where: string): void {
  if (totalBytes === undefined) return;
  if (totalBytes > limitBytes) throw tooLarge(where, limitBytes);
  if (wantedBytes !== undefined && totalBytes !== wantedBytes) throw wrongSize(where, totalBytes, wantedBytes);
}

/**
 * Nothing is decoded: a few bytes could become any number. Archives that a server calls encoded are still themselves,
 * which only a checksum can tell.
 */
function checkEncoding(headers: IncomingHttpHeaders, checksums: Checksums, where: string): boolean {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding === "identity" || encoding === "") return false;
  if (!checksums.isStrong) throw encoded(where);
  return true;
}

function encoded(where: string): PluginError {
  return new PluginError("DOWNLOAD_ENCODED", `${where} comes in an encoding that was not asked for`);
}

const sizeOf = ({ totalBytes }: Version): Version => (totalBytes === undefined ? {} : { totalBytes });

function isOfNoUse(error: unknown): boolean {
  const { code } = error as { code?: string };
  return ["DOWNLOAD_CHANGED", "DOWNLOAD_RANGE_WRONG", "DOWNLOAD_TOO_LARGE", "DOWNLOAD_SIZE_MISMATCH"].includes(code!);
}
