// What the property `lastUpload` says of a batch.

import type { JsonObject } from "gantry";
import type { Batch } from "./ledger.ts";
import { formatTimestamp, noTime } from "./timestamps.ts";

export interface Ending {
  state: "SUCCESS" | "FAILED" | "CANCELED";
  at: number;
  statusCode?: string;
  message?: string;
}

/** Never goes back. `underWay`: bytes of files that have not ended. */
export function progressOf({ bytes, bytesDone, files, filesDone, progress }: Batch, underWay: number): number {
  const share = bytes > 0 ? (bytesDone + underWay) / bytes : filesDone / files;
  return Math.max(progress, Math.min(100, Math.floor(share * 100)));
}

/** All members are always there. */
export function lastUpload({ id, startedAt, info, progress }: Batch, ending?: Ending): JsonObject {
  const { state = "UPLOADING", at, statusCode = "", message = "" } = ending ?? {};
  return {
    correlationId: id,
    state,
    startTime: startedAt === null ? noTime : formatTimestamp(startedAt),
    endTime: at === undefined ? noTime : formatTimestamp(at),
    statusCode,
    message,
    progress,
    info,
  };
}
