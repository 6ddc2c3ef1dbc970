// How long a server is waited for. Only the time that is spent waiting for it counts, not that of writing.

import type { IncomingMessage } from "node:http";
import { PluginError } from "gantry";
import { silent } from "./connection.ts";
import { connectionFailure } from "./failures.ts";

export interface Patience {
  /** How long the server may say nothing between two parts. */
  silenceMs: number;
  /** On the average of that time. */
  minBytesPerSecond: number;
  signal: AbortSignal;
  /** What is received, for messages. */
  where: string;
}

/** The parts of a body. Throws DOWNLOAD_SILENT, DOWNLOAD_TOO_SLOW, DOWNLOAD_CONNECTION_FAILED or the signal's reason. */
export async function* bodyOf(response: IncomingMessage, patience: Patience): AsyncGenerator<Buffer> {
  const { silenceMs, signal, where } = patience;
  const speed = new Speed(patience);
  let waitingSince: number | undefined = performance.now();
  const timer = setTimeout(() => {
    if (waitingSince !== undefined) response.destroy(silent(where, silenceMs));
    else timer.refresh();
  }, silenceMs);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      speed.heard(chunk.length, performance.now() - waitingSince);
      waitingSince = undefined;
      yield chunk;
      waitingSince = performance.now();
      timer.refresh();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw connectionFailure(error, where);
  } finally {
    clearTimeout(timer);
  }
}

/** The rate over each stretch of waiting that is as long as the silence that is borne. */
class Speed {
  readonly #patience: Patience;
  #bytes = 0;
  #waitedMs = 0;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  heard(bytes: number, waitedMs: number): void {
    this.#bytes += bytes;
    this.#waitedMs += waitedMs;
    const { silenceMs, minBytesPerSecond, where } = this.#patience;
    if (this.#waitedMs < silenceMs) return;
    const bytesPerSecond = (this.#bytes * 1000) / this.#waitedMs;
    if (bytesPerSecond < minBytesPerSecond)
      throw new PluginError("DOWNLOAD_TOO_SLOW", `${where} gave ${bytesPerSecond.toFixed(1)} bytes a second`, {
        details: { bytesPerSecond },
      });
    this.#bytes = 0;
    this.#waitedMs = 0;
  }
}
