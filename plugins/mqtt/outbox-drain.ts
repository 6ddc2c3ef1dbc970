// Messages of `mqtt/publish` with QoS 1, on their way from the durable outbox to the broker: in order, several at once.

import type { Json, Log, Outbox, OutboxEntry, PluginError } from "gantry";
import type { Broker } from "./broker.ts";
import { encodePayload } from "./payloads.ts";
import type { Publication } from "./service.ts";

const lane = "publish";
const atOnce = 20;

export class OutboxDrain {
  readonly #outbox: Outbox;
  readonly #broker: Broker;
  readonly #log: Log;
  #stopped = false;
  #wake: (() => void) | undefined;
  readonly #running: Promise<void>;

  constructor(outbox: Outbox, broker: Broker, log: Log) {
    this.#outbox = outbox;
    this.#broker = broker;
    this.#log = log;
    this.#running = this.#run();
  }

  /** Resolves once the message is durable; it leaves later. A repeated key is dropped. */
  async put(message: Publication, key: string): Promise<void> {
    await this.#outbox.put(lane, message as unknown as Json, { key });
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    // What is on its way may wait for the broker; it stays in the outbox.
    await Promise.race([this.#running, new Promise((resolve) => setTimeout(resolve, 500))]);
  }

  async #run(): Promise<void> {
    let after = 0;
    while (!this.#stopped) {
      // Set before reading, so that a message put meanwhile is not overlooked.
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      try {
        const entries = await this.#outbox.read(lane, after, atOnce);
        if (entries.length === 0) {
          await woken;
          continue;
        }
        // Handed over in order, which the connection keeps; acknowledged in any.
        await Promise.all(entries.map((entry) => this.#send(entry)));
        if (this.#stopped) return;
        after = entries.at(-1)!.id;
        await this.#outbox.remove(lane, after);
      } catch (error) {
        this.#log.error("the outbox cannot be drained now", { err: error });
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  }

  async #send({ id, message }: OutboxEntry): Promise<void> {
    const { topic, payload, retain = false } = message as unknown as Publication;
    for (;;) {
      try {
        await this.#broker.publish({
          topic,
          payload: encodePayload(payload),
          qos: 1,
          retain,
          repeatKey: `outbox/${id}`,
        });
        return;
      } catch (error) {
        const { code, retryable } = error as PluginError;
        if (this.#stopped) throw error;
        if (retryable === false) {
          this.#log.error(`a message to ${topic} is given up: ${(error as Error).message}`, { code });
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }
}
