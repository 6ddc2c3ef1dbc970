import type { Log } from "gantry";
import type { MqttClient } from "mqtt";

const firstDelayMs = 250;
const longestDelayMs = 10_000;

/** Lets the delays between attempts to connect grow, and says once per change, not per attempt, how it stands. */
export class Reconnection {
  readonly #client: MqttClient;
  readonly #timers = new Set<NodeJS.Timeout>();
  #attempts = 0;
  #stopped = false;
  /** What the log said last. */
  #said: string | undefined;
  #reason: string | undefined;

  constructor(client: MqttClient, url: string, log: Log) {
    this.#client = client;
    const where = new URL(url).host;
    client.on("connect", () => {
      this.#attempts = 0;
      this.#setDelay();
      this.#said = undefined;
      log.info(`connected to broker ${where}`);
    });
    client.on("error", (error) => {
      this.#reason = reasonOf(error);
    });
    client.on("close", () => {
      if (this.#stopped) return;
      const reason = this.#reason ?? "the connection was closed";
      if (this.#said !== reason) log.warn(`no connection to broker ${where}: ${reason}; trying again until it comes`);
      this.#said = reason;
      this.#reason = undefined;
      this.#attempts += 1;
      this.#setDelay();
    });
  }

  /** Once more after the longest delay, unless everything ends before. */
  later(work: () => unknown): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#stopped) work();
    }, longestDelayMs);
    this.#timers.add(timer);
  }

  stop(): void {
    this.#stopped = true;
    // Otherwise the library goes on trying when it is ended between two attempts.
    this.#client.options.reconnectPeriod = 0;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  // The library reads its one delay anew before each attempt; calling its reconnect() would forget what is on its way.
  #setDelay(): void {
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(this.#attempts, 10));
    this.#client.options.reconnectPeriod = Math.round(delayMs * (0.75 + Math.random() / 2));
  }
}

// An attempt at several addresses fails with one error for each, and an empty message of its own.
function reasonOf(error: Error): string {
  const { errors = [], code } = error as AggregateError & { code?: string | number };
  return error.message || errors.map((inner) => (inner as Error).message).join(", ") || String(code);
}
