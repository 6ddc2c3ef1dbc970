// Responses to messages of this device, told by their correlation id.

import { createHash } from "node:crypto";
import type { Json } from "gantry";
import { type Envelope, headerOf } from "./envelope.ts";

/** A response as whoever waits for it gets it. */
export interface Response {
  /** 0 where it has none. */
  status: number;
  value: Json;
}

/** Responses to messages of an earlier life may come before the step that waits for them has begun again. */
const maxEarly = 100;

export class Responses {
  readonly #waiting = new Map<string, (response: Response) => void>();
  readonly #early = new Map<string, Response>();

  /** Resolves with the response, rejects with the signal's reason. */
  async to(correlationId: string, signal: AbortSignal): Promise<Response> {
    const early = this.#early.get(correlationId);
    this.#early.delete(correlationId);
    if (early !== undefined) return early;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#waiting.set(correlationId, resolve);
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (this.#waiting.get(correlationId) === resolve) this.#waiting.delete(correlationId);
    }
  }

  /** Whether the message is a response to one of this host. */
  take({ headers, status, value }: Envelope): boolean {
    const correlationId = headerOf(headers, "correlation-id");
    if (typeof correlationId !== "string") return false;
    const response = { status: typeof status === "number" ? status : 0, value: value ?? null };
    const waiting = this.#waiting.get(correlationId);
    if (waiting !== undefined) {
      this.#waiting.delete(correlationId);
      waiting(response);
      return true;
    }
    if (!ownId.test(correlationId)) return false;
    this.#early.set(correlationId, response);
    const [oldest] = this.#early.keys();
    if (this.#early.size > maxEarly) this.#early.delete(oldest!);
    return true;
  }
}

/** What the correlation ids look like that this host makes. */
const ownId = /^gantry-[0-9a-f]{32}$/;

/** The same for every repetition of a step, so that the response to the first one is recognised. */
export function correlationIdOf(key: string): string {
  return `gantry-${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;
}
