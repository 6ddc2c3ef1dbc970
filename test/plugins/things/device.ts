// A real host with the plugins mqtt, things and script on a real broker, and a client that plays hub and connector:
// tests speak MQTT to it and nothing else.

import assert from "node:assert/strict";
import {
  type HeardMessage,
  type LogLine,
  startTestHost,
  type TestBroker,
  type TestHost,
  type TestPlugin,
  waitFor,
} from "gantry/testing";
import type { DeviceIdentity, JsonObject } from "../../../host/sdk.ts";
import { needs } from "../../support/parts.ts";

export interface DeviceOptions {
  workflows: Record<string, object>;
  /** The identity of plugins.json; null: none, a connector gives it. */
  device?: Partial<DeviceIdentity> | null;
  /** Of the plugin things. */
  config?: JsonObject;
  environment?: NodeJS.ProcessEnv;
  /** Puts something between Mosquitto and the host: from the one port to the other. */
  between?: (port: number) => Promise<number>;
  /** Further plugins. */
  plugins?: TestPlugin[];
  /** Default: debug. */
  logLevel?: string;
  /** Whether documents may have faults. */
  faulty?: boolean;
}

export const gateway = { deviceId: "org.example:gateway-1", tenantId: "demo", policyId: "" };

export const brokers = [
  { name: "Mosquitto", skip: needs("mosquitto"), embedded: false },
  { name: "the embedded broker", skip: false as const, embedded: true },
];

/** One life of the host. */
class HostLife {
  readonly pid: number;
  readonly #host: TestHost;
  readonly #from: number;

  constructor(host: TestHost, from: number) {
    this.#host = host;
    this.#from = from;
    this.pid = host.pid;
  }

  lines(): LogLine[] {
    return this.#host.log.slice(this.#from);
  }

  get log(): string {
    return this.lines()
      .map((line) => JSON.stringify(line))
      .join("\n");
  }

  kill = () => this.#host.kill();
  /** SIGTERM; rejects where it does not end with 0. */
  stop = () => this.#host.stop();
}

export class Device implements AsyncDisposable {
  readonly #host: TestHost;
  /** The Mosquitto, if it is one. */
  readonly mosquitto: TestBroker | undefined;
  host: HostLife;

  private constructor(host: TestHost, embedded: boolean) {
    this.#host = host;
    this.mosquitto = embedded ? undefined : host.broker;
    this.host = new HostLife(host, 0);
  }

  /** The hub listens to everything before the host starts (with the embedded broker, as soon as it can). */
  static async start(embedded: boolean, options: DeviceOptions): Promise<Device> {
    const { device = gateway, config = {}, plugins = [], between, ...more } = options;
    const host = await startTestHost({
      ...more,
      // What lacks in an identity is for the host to find.
      device: device as DeviceIdentity | null,
      plugins: [{ plugin: "things", config }, "script", ...plugins],
      broker: embedded ? "plugin" : "mosquitto",
      ...(between === undefined ? {} : { between }),
      process: true,
    });
    return new Device(host, embedded);
  }

  /** The folder of the host. */
  get directory(): string {
    return this.#host.directory;
  }

  get data(): string {
    return this.#host.data;
  }

  /** Of the broker. */
  get port(): number {
    return this.#host.broker.port;
  }

  get heard(): readonly HeardMessage[] {
    return this.#host.mqtt.heard;
  }

  /** Again after `host.kill()` or `host.stop()`. */
  async startHost(environment: NodeJS.ProcessEnv = {}): Promise<void> {
    const from = this.#host.log.length;
    await this.#host.resume({ environment });
    this.host = new HostLife(this.#host, from);
  }

  /** Sends a command as a connector does, by default with a request for an answer. */
  async command(operation: string, value: unknown, more: Partial<CommandText> = {}): Promise<void> {
    await this.send(commandTopic(operation, more), envelopeText(operation, value, more));
  }

  async send(topic: string, text: string | Buffer, qos: 0 | 1 = 1): Promise<void> {
    await this.#host.mqtt.publish(topic, text, { qos });
  }

  on(topic: string | RegExp): HeardMessage[] {
    return this.heard.filter((heard) => (typeof topic === "string" ? heard.topic === topic : topic.test(heard.topic)));
  }

  /** Calls `listener` with each message on a topic, as it comes. */
  listen(topic: string, listener: (message: HeardMessage) => void): void {
    this.#host.mqtt.listen(topic, listener);
  }

  /** The texts of at least so many messages on a topic; more of them fail the test when they are there already. */
  async texts(topic: string, count: number): Promise<string[]> {
    await waitFor(`${count} messages on ${topic}\n${this.host.log}`, () => this.on(topic).length >= count);
    const texts = this.on(topic).map(({ text }) => text);
    assert.equal(texts.length, count, texts.join("\n"));
    return texts;
  }

  async text(topic: string): Promise<string> {
    return (await this.texts(topic, 1))[0]!;
  }

  said(code: string): boolean {
    return this.host.lines().some((line) => line.code === code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }
}

export interface CommandText {
  thing: string;
  feature: string;
  requestId: string;
  correlationId: string;
  headers: unknown;
  /** The MQTT topic. */
  topic: string;
}

export function commandTopic(operation: string, { requestId = "r1", topic }: Partial<CommandText> = {}): string {
  return topic ?? `command///req/${requestId}/${operation}`;
}

export function envelopeText(operation: string, value: unknown, more: Partial<CommandText> = {}): string {
  const { thing = gateway.deviceId, feature = "Lamp", correlationId = "c1" } = more;
  const headers = "headers" in more ? more.headers : { "correlation-id": correlationId, "response-required": true };
  return JSON.stringify({
    topic: `${thing.replace(":", "/")}/things/live/messages/${operation}`,
    headers,
    path: `/features/${feature}/inbox/messages/${operation}`,
    value,
  });
}
