// The one connection to a broker elsewhere: always trying, with a session that outlives it.

import { isUtf8 } from "node:buffer";
import { Socket } from "node:net";
import { type Log, PluginError } from "gantry";
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import type { Broker, Sent } from "./broker.ts";
import { acknowledgeLate } from "./late-acknowledgement.ts";
import { decodePayload, fingerprintOf } from "./payloads.ts";
import { Reconnection } from "./reconnection.ts";
import type { Subscriptions } from "./subscriptions.ts";

export interface ExternalOptions {
  url: string;
  connection: IClientOptions;
  /** Messages that may be unacknowledged at once. */
  window: number;
  subscriptions: Subscriptions;
  log: Log;
}

/** Reasons that the same message will meet again (MQTT 5): not authorised, topic, size, QoS, retain, payload format. */
const lasting = new Set([0x87, 0x90, 0x95, 0x99, 0x9a, 0x9b]);

export class ExternalBroker implements Broker {
  readonly #options: ExternalOptions;
  readonly #client: MqttClient;
  readonly #late: ReturnType<typeof acknowledgeLate>;
  readonly #reconnection: Reconnection;
  /** Filters this session has, or is being asked for, and their QoS. */
  readonly #known = new Map<string, 0 | 1>();
  /** Filters whose refusal has been said. */
  readonly #refused = new Set<string>();
  readonly #onConnection = new Set<(connected: boolean) => void>();
  #ready = false;
  #pending = 0;
  #overflowed = false;

  constructor(options: ExternalOptions) {
    this.#options = options;
    const { connection, log, url, subscriptions } = options;
    this.#client = mqtt.connect(connection);
    this.#late = acknowledgeLate(this.#client);
    this.#client.on("message", (_topic, payload, packet) => this.#receive(payload, packet));
    this.#client.on("connect", ({ sessionPresent }) => {
      // Nagle's algorithm would hold small packets back until the broker's kernel acknowledges the last one: 40 ms.
      const { stream } = this.#client;
      if (stream instanceof Socket) stream.setNoDelay();
      void this.#connected(sessionPresent);
    });
    this.#client.on("close", () => {
      if (!this.#ready) return;
      this.#ready = false;
      for (const listener of this.#onConnection) listener(false);
    });
    this.#reconnection = new Reconnection(this.#client, url, log);
    subscriptions.connectTo({
      added: (filter, qos) => this.#subscribe(filter, qos),
      removed: (filter) => void this.#unsubscribe(filter),
    });
    this.#client.connect();
  }

  async publish({ topic, payload, qos, retain, responseTopic, correlationData }: Sent): Promise<void> {
    if (qos === 0 && !this.#client.connected)
      throw new PluginError("MQTT_OFFLINE", `the broker is away; the message to ${topic} is not sent`);
    const properties = {
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
    };
    const five = this.#options.connection.protocolVersion === 5 && Object.keys(properties).length > 0;
    try {
      await this.#client.publishAsync(topic, payload, { qos, retain, ...(five ? { properties } : {}) });
    } catch (cause) {
      const { code, message } = cause as { code?: number; message: string };
      if (typeof code === "number" && code >= 128)
        throw new PluginError("MQTT_REFUSED", `the broker refuses a message to ${topic}: ${message}`, {
          cause,
          details: { reasonCode: code },
          retryable: !lasting.has(code),
        });
      throw new PluginError("MQTT_OFFLINE", `the message to ${topic} is not sent: ${message}`, { cause });
    }
  }

  async connected(signal: AbortSignal): Promise<void> {
    if (this.#client.connected) return;
    // Attempts that fail in between are no end of it: `once` of node:events would reject at the first.
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onConnect = () => resolve();
    const onAbort = () => reject(signal.reason);
    this.#client.once("connect", onConnect);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      this.#client.off("connect", onConnect);
      signal.removeEventListener("abort", onAbort);
    }
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#onConnection.add(listener);
    if (this.#ready) listener(true);
    return () => this.#onConnection.delete(listener);
  }

  async close(): Promise<void> {
    this.#reconnection.stop();
    await this.#client.endAsync(true);
  }

  async #connected(sessionPresent: boolean): Promise<void> {
    const { log, subscriptions } = this.#options;
    this.#overflowed = false;
    if (!sessionPresent) this.#known.clear();
    if (this.#known.size > 0) log.info(`still subscribed to ${this.#known.size} topics`);
    await Promise.all(subscriptions.filters().map(([filter, qos]) => this.#subscribe(filter, qos)));
    if (!this.#client.connected) return;
    this.#ready = true;
    for (const listener of this.#onConnection) listener(true);
  }

  async #subscribe(filter: string, qos: 0 | 1): Promise<void> {
    const { log } = this.#options;
    // Asked for twice, a broker would send its retained messages twice.
    if (!this.#client.connected || (this.#known.get(filter) ?? -1) >= qos) return;
    this.#known.set(filter, qos);
    try {
      const [granted] = await this.#client.subscribeAsync(filter, { qos });
      if ((granted?.qos ?? 0) >= 128) throw Object.assign(new Error("not authorized"), { code: granted!.qos });
      this.#refused.delete(filter);
      log.info(`subscribed to ${filter}`);
    } catch (cause) {
      this.#known.delete(filter);
      // Without a connection it is made up for at the next one.
      if (!this.#client.connected) return;
      if (!this.#refused.has(filter))
        log.error(`the broker refuses the subscription to ${filter}: ${(cause as Error).message}; trying again`, {
          code: "MQTT_SUBSCRIBE_REFUSED",
        });
      this.#refused.add(filter);
      this.#reconnection.later(
        () =>
          this.#options.subscriptions.filters().some(([wanted]) => wanted === filter) && this.#subscribe(filter, qos),
      );
    }
  }

  async #unsubscribe(filter: string): Promise<void> {
    this.#known.delete(filter);
    this.#refused.delete(filter);
    if (this.#client.connected) await this.#client.unsubscribeAsync(filter).catch(() => {});
  }

  #receive(payload: Buffer, packet: IPublishPacket): void {
    const { subscriptions, connection, log, window } = this.#options;
    const { topic, qos, retain, dup, messageId = 0 } = packet;
    const correlationData = packet.properties?.correlationData;
    const message = {
      topic,
      qos: qos === 0 ? (0 as const) : (1 as const),
      retain,
      ...decodePayload(payload),
      ...(correlationData !== undefined && isUtf8(correlationData)
        ? { correlationData: correlationData.toString("utf8") }
        : {}),
    };
    if (qos === 0) {
      subscriptions.deliver(message).catch((error) => log.debug("a message is not handled", { err: error }));
      return;
    }
    if (this.#pending >= window) {
      if (!this.#overflowed)
        log.warn(`more than ${window} messages are unacknowledged; further ones wait at the broker`);
      this.#overflowed = true;
      return;
    }
    const of = this.#late.connection();
    const delivery = {
      key: `${connection.clientId}/${messageId}`,
      fingerprint: fingerprintOf(topic, payload),
      redelivered: dup,
    };
    this.#pending += 1;
    subscriptions
      .deliver({ ...message, delivery })
      .then(
        () => this.#late.acknowledge(of, messageId),
        (error) => log.debug("a message stays unacknowledged", { err: error }),
      )
      .finally(() => this.#settled());
  }

  // What was left at the broker comes again with the next connection only.
  #settled(): void {
    this.#pending -= 1;
    // Ended, not destroyed: the acknowledgements must get out.
    if (this.#pending === 0 && this.#overflowed) this.#client.stream.end();
  }
}
