// A real host with the plugins mqtt, things and script on a real broker, and a client that plays hub and connector:
// tests speak MQTT to it and nothing else.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import type { JsonObject } from "../../../host/sdk.ts";
import { type Mosquitto, startMosquitto } from "../../../host/testing/mosquitto.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../../support/host-process.ts";
import { needs } from "../../support/parts.ts";

export interface Heard {
  topic: string;
  text: string;
  retain: boolean;
}

export interface DeviceOptions {
  workflows: Record<string, unknown>;
  /** The identity of plugins.json; null: none, a connector gives it. */
  device?: JsonObject | null;
  /** Of the plugin things. */
  config?: JsonObject;
  environment?: NodeJS.ProcessEnv;
  /** Puts something between Mosquitto and the host: from the one port to the other. */
  between?: (port: number) => Promise<number>;
  /** Further plugins. */
  plugins?: JsonObject[];
  /** Default: debug. */
  logLevel?: string;
  /** Called with the host's folder before the host starts. */
  prepare?: (directory: string) => void;
}

export const gateway = { deviceId: "org.example:gateway-1", tenantId: "demo", policyId: "" };

export const brokers = [
  { name: "Mosquitto", skip: needs("mosquitto"), embedded: false },
  { name: "the embedded broker", skip: false as const, embedded: true },
];

export class Device implements AsyncDisposable {
  readonly heard: Heard[] = [];
  readonly mosquitto: Mosquitto | undefined;
  readonly folder: HostFolder;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #logLevel: string;
  host: HostProcess;
  hub!: MqttClient;
  port!: number;

  private constructor(
    folder: HostFolder,
    mosquitto: Mosquitto | undefined,
    host: HostProcess,
    environment: NodeJS.ProcessEnv,
    logLevel: string,
  ) {
    this.folder = folder;
    this.mosquitto = mosquitto;
    this.host = host;
    this.#environment = environment;
    this.#logLevel = logLevel;
  }

  /** The hub listens to everything before the host starts (with the embedded broker, as soon as it can). */
  static async start(embedded: boolean, options: DeviceOptions): Promise<Device> {
    const {
      workflows,
      device = gateway,
      config = {},
      environment = {},
      plugins = [],
      between,
      prepare,
      logLevel = "debug",
    } = options;
    const mosquitto = embedded ? undefined : await startMosquitto();
    const port = mosquitto === undefined ? 0 : ((await between?.(mosquitto.port)) ?? mosquitto.port);
    const root = await mkdtemp(join(tmpdir(), "gantry-things-"));
    const configuration = {
      ...(device === null ? {} : { device }),
      workflows: ["./workflows"],
      plugins: [
        { plugin: "mqtt", config: embedded ? { broker: "embedded", port } : { broker: `mqtt://127.0.0.1:${port}` } },
        { plugin: "things", config },
        { plugin: "script" },
        ...plugins,
      ],
    };
    const folder = await makeHostFolder(root, configuration as JsonObject, workflows);
    prepare?.(root);
    const running = new Device(folder, mosquitto, undefined as never, environment, logLevel);
    try {
      if (mosquitto !== undefined) await running.#connectHub(mosquitto.port);
      await running.startHost();
      return running;
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Again after `host.kill()` or `host.stop()`. */
  async startHost(environment: NodeJS.ProcessEnv = {}): Promise<void> {
    this.host = new HostProcess(this.folder, { ...this.#environment, ...environment }, ["--log-level", this.#logLevel]);
    await this.host.ready();
    if (this.mosquitto === undefined) {
      const port = await waitFor("the embedded broker", () => this.host.lines().find(({ port }) => port)?.port);
      await this.#connectHub(port as number);
    }
  }

  async #connectHub(port: number): Promise<void> {
    this.port = port;
    await this.hub?.endAsync(true);
    this.hub = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
      clientId: "hub",
      clean: false,
      reconnectPeriod: 50,
      resubscribe: true,
    });
    this.hub.on("error", () => {});
    this.hub.on("message", (topic, payload, { retain, dup }) => {
      const text = payload.toString();
      // The broker repeats what it has no acknowledgement of; that is none of the host's doing.
      if (dup && this.heard.some((heard) => heard.topic === topic && heard.text === text)) return;
      this.heard.push({ topic, text, retain });
    });
    await this.hub.subscribeAsync("#", { qos: 1 });
  }

  /** Sends a command as a connector does, by default with a request for an answer. */
  async command(operation: string, value: unknown, more: Partial<CommandText> = {}): Promise<void> {
    await this.send(commandTopic(operation, more), envelopeText(operation, value, more));
  }

  async send(topic: string, text: string | Buffer, qos: 0 | 1 = 1): Promise<void> {
    await this.hub.publishAsync(topic, text, { qos });
  }

  on(topic: string | RegExp): Heard[] {
    return this.heard.filter((heard) => (typeof topic === "string" ? heard.topic === topic : topic.test(heard.topic)));
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
    await this.host?.stop();
    await this.hub?.endAsync(true);
    await this.mosquitto?.stop();
    await rm(this.folder.directory, { recursive: true, force: true });
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
