// A response's body -> a part.

import type { IncomingMessage } from "node:http";
import { tooLarge, truncated } from "./failures.ts";
import type { Pace } from "./pace.ts";
import type { Part } from "./part.ts";
import { bodyOf, type Patience } from "./patience.ts";

export interface ReceiveOptions {
  patience: Patience;
  pace: Pace;
  /** Not one byte more is accepted, what the part had before included. */
  limitBytes: number;
  /** The size of the whole file, where the server says it. */
  totalBytes: number | undefined;
  onBytes(): void;
}

/**
 * Adds the body to the part's end; what had arrived is in the part's file also when this fails. Throws
 * DOWNLOAD_TOO_LARGE, _TRUNCATED, _SILENT, _TOO_SLOW, _CONNECTION_FAILED, _DISK_FULL, _WRITE_FAILED.
 */
export async function receive(response: IncomingMessage, part: Part, options: ReceiveOptions): Promise<void> {
  const { patience, pace, limitBytes, totalBytes, onBytes } = options;
  const { where } = patience;
  try {
    for await (const chunk of bodyOf(response, patience)) {
      if (part.bytes + chunk.length > limitBytes) throw tooLarge(where, limitBytes);
      const { length } = chunk;
      await part.add(chunk);
      onBytes();
      await pace(length);
    }
  } catch (error) {
    const { code, cause } = error as { code?: string; cause?: { code?: string } };
    if (
      code === "DOWNLOAD_CONNECTION_FAILED" &&
      ["ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE"].includes(cause?.code ?? "")
    )
      throw truncated(where, part.bytes, totalBytes, cause);
    throw error;
  } finally {
    response.destroy();
    await part.settle();
  }
  if (!response.complete || (totalBytes !== undefined && part.bytes < totalBytes))
    throw truncated(where, part.bytes, totalBytes);
}
