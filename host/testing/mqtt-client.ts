// What a test says and hears at its broker, as the backend or another device would.

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
}

/** Hears everything from now on, but what is said on the topic `hidden`. */
export async function connectClient(port: number, hidden: string): Promise<TestClient & AsyncDisposable> {
  // Only a test with a broker loads it.
  const { default: mqtt } = await import("mqtt");
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: "test", clean: false });
  const heard: HeardMessage[] = [];
  const given = new Set<HeardMessage>();
  client.on("message", (topic, payload, { retain, dup }) => {
    const text = payload.toString();
    if (topic === hidden) return;
    // The broker repeats what it has no acknowledgement of; that is none of the host's doing.
    if (dup && heard.some((message) => message.topic === topic && message.text === text)) return;
    heard.push({ topic, text, json: asJson(text), retain });
  });
  client.on("error", () => {});
  await client.subscribeAsync("#", { qos: 1 });
  return {
    heard,
    async publish(topic, payload, { qos = 1, retain = false } = {}) {
      const isRaw = typeof payload === "string" || payload instanceof Uint8Array;
      await client.publishAsync(topic, isRaw ? (payload as string) : JSON.stringify(payload), { qos, retain });
    },
    async next(filter, { timeoutMs } = {}) {
      const isWanted = (message: HeardMessage) => !given.has(message) && matches(filter, message.topic);
      const words = () => `a message on ${filter}; heard were ${heard.map(({ topic }) => topic).join(", ") || "none"}`;
      const found = await waitFor(words, () => heard.find(isWanted), timeoutMs);
      given.add(found);
      return found;
    },
    async [Symbol.asyncDispose]() {
      await client.endAsync(true);
    },
  };
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
