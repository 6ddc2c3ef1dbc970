// Connectors publish each command twice, in the long and in the short form of its topic. Whoever subscribes to both gets
// it twice; the second one is recognised here.

import { createHash } from "node:crypto";
import type { KeyValue, Log } from "gantry";
import type { Message } from "../mqtt/service.ts";
import type { CommandTopic } from "./command-topics.ts";

/** A command that has come in one form, and until when the other is taken for the same: epoch milliseconds. */
interface Half {
  form: CommandTopic["form"];
  until: number;
}

const storeKey = "halves";
const maxHalves = 256;
/** A connector publishes both in one go. */
const keptMs = 10_000;
/** What an earlier life has seen: its other half may have waited at the broker meanwhile. */
const keptOverRestartMs = 300_000;

export class FormPairs {
  readonly #keyValue: KeyValue;
  readonly #log: Log;
  readonly #halves = new Map<string, Half>();

  constructor(keyValue: KeyValue, log: Log) {
    this.#keyValue = keyValue;
    this.#log = log;
  }

  async open(): Promise<void> {
    const kept = ((await this.#keyValue.get(storeKey)) ?? []) as unknown as [string, Half][];
    for (const [digest, { form, until }] of kept)
      this.#halves.set(digest, { form, until: until - keptMs + keptOverRestartMs });
  }

  /**
   * Whether this command has come in the other form already; it is told once for each. Otherwise it is remembered.
   * One that is delivered again in the same form is left to those who know deliveries.
   */
  isSecond(topic: CommandTopic, { payload, payloadBase64 }: Message): boolean {
    const digest = createHash("sha256")
      .update(JSON.stringify([topic.device, topic.requestId, topic.subject, payload ?? null, payloadBase64 ?? null]))
      .digest("base64url");
    const known = this.#halves.get(digest);
    this.#halves.delete(digest);
    if (known !== undefined && known.form !== topic.form && Date.now() < known.until) return true;
    this.#halves.set(digest, { form: topic.form, until: Date.now() + keptMs });
    const [oldest] = this.#halves.keys();
    if (this.#halves.size > maxHalves) this.#halves.delete(oldest!);
    return false;
  }

  /** Resolves once what is remembered would survive a crash. */
  async keep(): Promise<void> {
    try {
      await this.#keyValue.set(storeKey, [...this.#halves] as never);
    } catch (error) {
      this.#log.warn("the memory of commands cannot be kept", { err: error });
    }
  }
}
