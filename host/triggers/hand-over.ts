import type { Emission, Emit, Log, PluginError } from "../sdk.ts";

/**
 * `accepted`: the run is durable. `refused`: it never will be one. `later`: the host cannot take it now. What the host
 * says against it is logged.
 */
export async function handOver(
  emit: Emit,
  emission: Emission,
  log: Log,
  facts: Record<string, unknown>,
): Promise<"accepted" | "refused" | "later"> {
  try {
    await emit(emission);
    return "accepted";
  } catch (error) {
    const { code, message, retryable, remedy } = error as Partial<PluginError> & { message: string; remedy?: string };
    if (code === "HOST_STOPPING") return "later";
    const about = { ...facts, code, ...(remedy === undefined ? {} : { remedy }) };
    log.warn(`${retryable === true ? "no run can start now" : "no run starts"}: ${message}`, about);
    return retryable === true ? "later" : "refused";
  }
}

/** Growing pauses between attempts to hand over. */
export class Backoff {
  #nextMs = 100;

  /** The next pause: 100 ms at first, 10 s at most. */
  next(): number {
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(pauseMs * 2, 10_000);
    return pauseMs;
  }

  reset(): void {
    this.#nextMs = 100;
  }
}
