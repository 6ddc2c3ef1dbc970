import type { Log } from "gantry";
import type { MqttClient } from "mqtt";

const firstDelayMs = 250;
const longestDelayMs = 10_000;

/** Connects again whenever the connection is gone, with growing delays; says so once per change, not per attempt. */
export class Reconnection {
  readonly #client: MqttClient;
  readonly #timers = new Set<NodeJS.Timeout>();
  #attempts = 0;
  #stopped = false;
  /** What the log said last. */
  #said: string | undefined;
  #reason = "the broker closed the connection";

  constructor(client: MqttClient, url: string, log: Log) {
    this.#client = client;
    const where = new URL(url).host;
    client.on("connect", () => {
      this.#attempts = 0;
      this.#said = undefined;
      log.info(`connected to broker ${where}`);
    });
    client.on("error", (error) => {
      this.#reason = reasonOf(error);
    });
    client.on("close", () => {
      if (this.#stopped) return;
      if (this.#said !== this.#reason)
        log.warn(`no connection to broker ${where}: ${this.#reason}; trying again until it comes`);
      this.#said = this.#reason;
      this.#reason = "the broker closed the connection";
      const delayMs =
        Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(this.#attempts, 10)) * (0.75 + Math.random() / 2);
      this.#attempts += 1;
      this.#after(delayMs, () => client.reconnect());
    });
  }

  /** Once more after the longest delay, unless everything ends before. */
  later(work: () => unknown): void {
    this.#after(longestDelayMs, work);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #after(delayMs: number, work: () => unknown): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#stopped && !this.#client.disconnecting) work();
    }, delayMs);
    this.#timers.add(timer);
  }
}

// An attempt at several addresses fails with one error for each, and an empty message of its own.
function reasonOf(error: Error): string {
  const { errors = [], code } = error as AggregateError & { code?: string | number };
  return error.message || errors.map((inner) => (inner as Error).message).join(", ") || String(code);
}
