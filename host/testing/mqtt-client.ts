// What a test says and hears at its broker, as the backend or another device would.

import type { MqttClient } from "mqtt";
import type { Json } from "../sdk.ts";
import { waitFor } from "./wait-for.ts";

/** A message as the test hears it. */
export interface HeardMessage {
  topic: string;
  text: string;
  /** The payload as JSON; undefined where it is none. */
  json: Json | undefined;
  /** Whether the broker had kept it from before. */
  retain: boolean;
}

export interface TestClient {
  /** All that was heard so far, oldest first: everything but what the broker keeps to itself. */
  readonly heard: readonly HeardMessage[];
  /** A text or bytes are sent as they are, everything else as JSON. QoS 1 if nothing else is said. */
  publish(topic: string, payload: Json | Uint8Array, options?: { qos?: 0 | 1; retain?: boolean }): Promise<void>;
  /**
   * The oldest message that matches a topic filter and was not given before; waits for one. Rejects after `timeoutMs`
   * (30,000 if nothing else is said).
   */
  next(filter: string, options?: { timeoutMs?: number }): Promise<HeardMessage>;
  /** Calls `listener` with each message from now on that matches a topic filter, for a backend that answers by itself. */
  listen(filter: string, listener: (message: HeardMessage) => void): void;
}

/** Hears everything while it is connected, but what is said on the topic `hidden`. */
export class ConnectedClient implements TestClient, AsyncDisposable {
  readonly heard: HeardMessage[] = [];
  readonly #hidden: string;
  readonly #given = new Set<HeardMessage>();
  readonly #listeners = new Set<{ filter: string; listener: (message: HeardMessage) => void }>();
  #connection: MqttClient | undefined;

  constructor(hidden: string) {
    this.#hidden = hidden;
  }

  /** Leaves the broker it is at. */
  async connect(port: number): Promise<void> {
    await this.disconnect();
    // Only a test with a broker loads it.
    const { default: mqtt } = await import("mqtt");
    const options = { clientId: "test", clean: false, reconnectPeriod: 50 };
    const connection = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options);
    this.#connection = connection;
    connection.on("message", (topic, payload, { retain, dup }) => this.#hear(topic, payload.toString(), retain, dup));
    connection.on("error", () => {});
    await connection.subscribeAsync("#", { qos: 1 });
  }

  async disconnect(): Promise<void> {
    await this.#connection?.endAsync(true);
    this.#connection = undefined;
  }

  async publish(
    topic: string,
    payload: Json | Uint8Array,
    { qos = 1, retain = false }: { qos?: 0 | 1; retain?: boolean } = {},
  ): Promise<void> {
    if (this.#connection === undefined) throw new Error("the broker went with the host: `resume` brings it back");
    const isRaw = typeof payload === "string" || payload instanceof Uint8Array;
    await this.#connection.publishAsync(topic, isRaw ? (payload as string) : JSON.stringify(payload), { qos, retain });
  }

  async next(filter: string, { timeoutMs }: { timeoutMs?: number } = {}): Promise<HeardMessage> {
    const isWanted = (message: HeardMessage) => !this.#given.has(message) && matches(filter, message.topic);
    const topics = () => this.heard.map(({ topic }) => topic).join(", ") || "none";
    const words = () => `a message on ${filter}; heard were ${topics()}`;
    const found = await waitFor(words, () => this.heard.find(isWanted), timeoutMs);
    this.#given.add(found);
    return found;
  }

  listen(filter: string, listener: (message: HeardMessage) => void): void {
    this.#listeners.add({ filter, listener });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  #hear(topic: string, text: string, retain: boolean, dup: boolean): void {
    if (topic === this.#hidden) return;
    // The broker repeats what it has no acknowledgement of; that is none of the host's doing.
    if (dup && this.heard.some((message) => message.topic === topic && message.text === text)) return;
    const message = { topic, text, json: asJson(text), retain };
    this.heard.push(message);
    for (const { filter, listener } of this.#listeners) if (matches(filter, topic)) listener(message);
  }
}

/** Whether a topic matches a filter, in which + stands for one level and # for the rest. */
function matches(filter: string, topic: string): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  const fits = (level: string, index: number) => level === "+" || level === "#" || level === levels[index];
  if (!wanted.every(fits)) return false;
  return wanted.at(-1) === "#" ? levels.length >= wanted.length - 1 : levels.length === wanted.length;
}

function asJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
