// The retained messages of the embedded broker, over restarts.

import type { KeyValue, Log } from "gantry";

const maxCount = 1000;
const maxBytes = 1 << 20;

export interface Retained {
  topic: string;
  payload: Buffer;
  qos: 0 | 1;
}

export class RetainedMessages {
  readonly #keyValue: KeyValue;
  readonly #log: Log;
  readonly #messages = new Map<string, Retained>();
  #bytes = 0;

  constructor(keyValue: KeyValue, log: Log) {
    this.#keyValue = keyValue;
    this.#log = log;
  }

  async restore(): Promise<void> {
    for (const topic of ((await this.#keyValue.get("retained")) ?? []) as string[]) {
      const kept = (await this.#keyValue.get(`retained/${topic}`)) as { payload: string; qos: 0 | 1 } | undefined;
      if (kept !== undefined) this.#put({ topic, payload: Buffer.from(kept.payload, "base64"), qos: kept.qos });
    }
  }

  all(): Retained[] {
    return [...this.#messages.values()];
  }

  /** Takes a message with the retain flag; an empty payload forgets the topic's. Resolves once that is on disk. */
  async take(message: Retained): Promise<void> {
    const { topic, payload, qos } = message;
    const before = this.#messages.get(topic);
    this.#drop(topic);
    if (payload.length === 0) {
      if (before === undefined) return;
      await this.#erase(topic);
      return;
    }
    if (this.#messages.size >= maxCount || this.#bytes + payload.length > maxBytes) {
      this.#log.warn(`too many retained messages; the one of ${topic} will not outlive this process`);
      // Its predecessor must not come back in its place.
      if (before !== undefined) await this.#erase(topic);
      return;
    }
    this.#put(message);
    await Promise.all([
      this.#keyValue.set(`retained/${topic}`, { payload: payload.toString("base64"), qos }),
      before === undefined ? this.#keepIndex() : undefined,
    ]);
  }

  #put(message: Retained): void {
    this.#messages.set(message.topic, message);
    this.#bytes += message.payload.length;
  }

  #drop(topic: string): void {
    this.#bytes -= this.#messages.get(topic)?.payload.length ?? 0;
    this.#messages.delete(topic);
  }

  async #erase(topic: string): Promise<void> {
    await Promise.all([this.#keyValue.delete(`retained/${topic}`), this.#keepIndex()]);
  }

  #keepIndex(): Promise<void> {
    return this.#keyValue.set("retained", [...this.#messages.keys()]);
  }
}
