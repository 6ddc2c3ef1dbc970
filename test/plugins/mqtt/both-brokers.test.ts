// What holds for an external broker and for the embedded one alike.

import assert from "node:assert/strict";
import { connect as connectTo, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import mqtt, { type MqttClient } from "mqtt";
import mqttPacket from "mqtt-packet";
import type { Emission, JsonObject } from "../../../host/sdk.ts";
import { startMosquitto } from "../../../host/testing/mosquitto.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import type { Message } from "../../../plugins/mqtt/service.ts";
import { needs } from "../../support/parts.ts";
import { PluginHost, type RunningPlugin, said } from "./plugin-host.ts";

interface Surroundings {
  host: PluginHost;
  plugin: RunningPlugin;
  config: JsonObject;
  /** Another client of the same broker. */
  connect(options?: mqtt.IClientOptions): Promise<MqttClient>;
}

async function onMosquitto(work: (surroundings: Surroundings) => Promise<void>): Promise<void> {
  const broker = await startMosquitto();
  try {
    await using host = new PluginHost();
    const config = { broker: broker.url };
    const plugin = await host.start(config);
    await waitFor("the connection", () => said(plugin, /connected/));
    await withClients(
      (options) => mqtt.connectAsync(broker.url, options),
      (connect) => work({ host, plugin, config, connect }),
    );
  } finally {
    await broker.stop();
  }
}

async function onEmbedded(work: (surroundings: Surroundings) => Promise<void>): Promise<void> {
  await using host = new PluginHost();
  const plugin = await host.start({ broker: "embedded", port: 0 });
  const port = await waitFor("the port", () => portOf(plugin));
  const config = { broker: "embedded", port };
  await withClients(
    (options) => mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options),
    (connect) => work({ host, plugin, config, connect }),
  );
}

async function withClients(
  open: Surroundings["connect"],
  work: (connect: Surroundings["connect"]) => Promise<void>,
): Promise<void> {
  const clients: MqttClient[] = [];
  try {
    await work(async (options) => {
      const client = await open(options);
      clients.push(client);
      return client;
    });
  } finally {
    for (const client of clients) await client.endAsync(true);
  }
}

/** Sends one message until it is acknowledged, also over new connections, and marks what it repeats [MQTT-4.4.0-1]. */
class RepeatingSender {
  readonly #port: number;
  #socket: Socket | undefined;
  #repeated = false;
  #done = false;

  constructor(port: number) {
    this.#port = port;
  }

  start(): void {
    const socket = connectTo(this.#port, "127.0.0.1");
    this.#socket = socket;
    const parser = mqttPacket.parser();
    parser.on("packet", ({ cmd }) => {
      if (cmd === "puback") this.#done = true;
      if (cmd !== "connack") return;
      const about = { cmd: "publish", topic: "again", payload: "once", qos: 1, messageId: 7, retain: false } as const;
      socket.write(mqttPacket.generate({ ...about, dup: this.#repeated }));
      this.#repeated = true;
    });
    socket.on("data", (bytes) => parser.parse(bytes as Buffer));
    socket.on("error", () => {});
    socket.on("close", () => setTimeout(() => this.#done || this.start(), 50));
    socket.write(
      mqttPacket.generate({
        cmd: "connect",
        clientId: "sender",
        clean: false,
        keepalive: 60,
        protocolId: "MQTT",
        protocolVersion: 4,
      }),
    );
  }

  stop(): void {
    this.#done = true;
    this.#socket?.destroy();
  }
}

const portOfUrl = ({ broker, port }: JsonObject, plugin: RunningPlugin) =>
  broker === "embedded" ? (portOf(plugin) ?? (port as number)) : Number(new URL(broker as string).port);
const portOf = ({ lines }: RunningPlugin) =>
  lines.find(({ text }) => /listens/.test(text))?.fields.port as number | undefined;

const brokers = [
  { name: "Mosquitto", skip: needs("mosquitto"), on: onMosquitto },
  { name: "the embedded broker", skip: false as const, on: onEmbedded },
];

for (const { name, skip, on } of brokers) {
  const options = { skip, timeout: 60_000 };

  test(
    `${name}: 20 messages whose handlers take a while and publish themselves are handled side by side`,
    options,
    async () => {
      await on(async ({ plugin, connect }) => {
        let atOnce = 0;
        let most = 0;
        const echoed: string[] = [];
        await plugin.mqtt.subscribe({ topic: "echo" }, async ({ payload }) => void echoed.push(payload!));
        await plugin.mqtt.subscribe({ topic: "work/+" }, async ({ payload }) => {
          most = Math.max(most, ++atOnce);
          await sleep(50);
          await plugin.mqtt.publish({ topic: "echo", payload: payload! });
          atOnce -= 1;
        });
        const client = await connect();
        await Promise.all(
          Array.from({ length: 20 }, (_, n) => client.publishAsync(`work/${n}`, String(n), { qos: 1 })),
        );
        await waitFor("all echoes", () => echoed.length === 20);
        assert.equal(most, 20);
        assert.deepEqual(
          echoed.map(Number).toSorted((a, b) => a - b),
          Array.from({ length: 20 }, (_, n) => n),
        );
      });
    },
  );

  test(
    `${name}: two workflows' worth of request and answer over one connection do not block each other`,
    options,
    async () => {
      await on(async ({ plugin }) => {
        await plugin.mqtt.subscribe({ topic: "ask/+" }, async ({ topic, payload }) => {
          const { replyTo } = JSON.parse(payload!);
          await plugin.mqtt.publish({ topic: replyTo, payload: { of: topic } });
        });
        const ask = (n: number) =>
          plugin.step("request", {
            topic: `ask/${n}`,
            payload: { replyTo: `answer/${n}` },
            responseTopic: `answer/${n}`,
          });
        const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n)));
        assert.deepEqual(
          answers,
          Array.from({ length: 10 }, (_, n) => ({ payload: { of: `ask/${n}` } })),
        );
      });
    },
  );

  test(`${name}: a request that nobody answers fails with MQTT_REQUEST_TIMEOUT`, options, async () => {
    await on(async ({ plugin }) => {
      await assert.rejects(plugin.step("request", { topic: "nobody", payload: null, timeout: "200ms" }), {
        code: "MQTT_REQUEST_TIMEOUT",
      });
    });
  });

  test(`${name}: a retained message on the response topic is not taken for the answer`, options, async () => {
    await on(async ({ plugin }) => {
      await plugin.mqtt.publish({ topic: "answers", payload: "of yesterday", retain: true });
      await plugin.mqtt.subscribe({ topic: "ask" }, async () => {
        await plugin.mqtt.publish({ topic: "answers", payload: "of today" });
      });
      assert.deepEqual(await plugin.step("request", { topic: "ask", payload: null, responseTopic: "answers" }), {
        payload: "of today",
      });
    });
  });

  test(`${name}: a message is acknowledged only when its listener is done`, options, async () => {
    await on(async ({ plugin, connect }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      let arrived = false;
      await plugin.mqtt.subscribe({ topic: "slow" }, async () => {
        arrived = true;
        await promise;
      });
      const client = await connect();
      let acknowledged = false;
      const published = client.publishAsync("slow", "x", { qos: 1 }).then(() => {
        acknowledged = true;
      });
      await waitFor("the message", () => arrived);
      await sleep(100);
      // Mosquitto answers for itself; what it has not heard of us shows in the test of redelivery.
      if (name !== "Mosquitto") assert.ok(!acknowledged, "acknowledged before the listener was done");
      resolve();
      await published;
    });
  });

  test(`${name}: what was not acknowledged comes again, marked, with the same delivery`, options, async () => {
    await on(async ({ host, plugin, config }) => {
      const first: Message[] = [];
      await plugin.mqtt.subscribe({ topic: "again" }, (message) => {
        first.push(message);
        return Promise.reject(new Error("not now"));
      });
      const sender = new RepeatingSender(portOfUrl(config, plugin));
      sender.start();
      await waitFor("the first delivery", () => first.length > 0);
      await plugin.stop();
      const next = await host.start(config);
      const again: Message[] = [];
      await next.mqtt.subscribe({ topic: "again" }, async (message) => void again.push(message));
      await waitFor("the redelivery", () => again.length > 0);
      assert.equal(again[0]!.delivery!.redelivered, true);
      assert.equal(again[0]!.delivery!.key, first[0]!.delivery!.key);
      assert.equal(again[0]!.delivery!.fingerprint, first[0]!.delivery!.fingerprint);
      await sleep(200);
      assert.equal(again.length, 1, "an acknowledged message came once more");
      sender.stop();
    });
  });

  test(`${name}: messages that arrive before anybody listens again are held for their listener`, options, async () => {
    await on(async ({ host, plugin, config, connect }) => {
      await plugin.mqtt.subscribe({ topic: "early" }, async () => {});
      await plugin.stop();
      const next = await host.start(config);
      await waitFor("the connection", () => said(next, /connected|listens/));
      const client = await connect({ reconnectPeriod: 50 });
      const published = client.publishAsync("early", "bird", { qos: 1 });
      await sleep(200);
      const messages: Message[] = [];
      await next.mqtt.subscribe({ topic: "early" }, async (message) => void messages.push(message));
      await waitFor("the held message", () => messages.length === 1);
      assert.equal(messages[0]!.payload, "bird");
      await published;
    });
  });

  for (const filters of [
    ["job/+", "job/+"],
    ["job/+", "job/7"],
  ] as const)
    test(
      `${name}: a message that arrives before the triggers reaches all of them (${filters.join(" and ")})`,
      options,
      async () => {
        await on(async ({ host, plugin, config, connect }) => {
          for (const topic of filters) await plugin.onMessage({ topic }, async () => ({ runId: "earlier" }));
          await plugin.stop();
          const next = await host.start(config);
          await waitFor("the connection", () => said(next, /connected|listens/));
          const client = await connect({ reconnectPeriod: 50 });
          const published = client.publishAsync("job/7", "{}", { qos: 1 });
          await sleep(200);
          const started = [0, 0];
          for (const [index, topic] of filters.entries())
            await next.onMessage({ topic }, async () => {
              started[index]! += 1;
              return { runId: String(index) };
            });
          await published;
          await waitFor("both triggers", () => started.every((count) => count > 0));
        });
      },
    );

  test(`${name}: mqtt/publish with QoS 1 sends each key once, in order`, options, async () => {
    await on(async ({ plugin, connect }) => {
      const client = await connect();
      const received: string[] = [];
      client.on("message", (_, payload) => received.push(payload.toString()));
      await client.subscribeAsync("out", { qos: 1 });
      for (let n = 0; n < 50; n++) await plugin.step("publish", { topic: "out", payload: n }, `key/${n}`);
      for (let n = 0; n < 50; n += 7) await plugin.step("publish", { topic: "out", payload: n }, `key/${n}`);
      await plugin.step("publish", { topic: "out", payload: "end" });
      await waitFor("the last message", () => received.includes("end"));
      assert.deepEqual(received, [...Array.from({ length: 50 }, (_, n) => String(n)), "end"]);
    });
  });

  test(`${name}: payloads go out as text, JSON, or nothing, and come in as text or base64`, options, async () => {
    await on(async ({ plugin, connect }) => {
      const client = await connect();
      const received = new Map<string, string>();
      client.on("message", (topic, payload) => received.set(topic, payload.toString("hex")));
      await client.subscribeAsync("as/+", { qos: 1 });
      await plugin.step("publish", { topic: "as/text", payload: "ä" });
      await plugin.step("publish", { topic: "as/object", payload: { a: [1] } });
      await plugin.step("publish", { topic: "as/nothing", payload: null });
      await waitFor("all three", () => received.size === 3);
      assert.deepEqual(
        [received.get("as/text"), received.get("as/object"), received.get("as/nothing")],
        [Buffer.from("ä").toString("hex"), Buffer.from('{"a":[1]}').toString("hex"), ""],
      );
      const messages: Message[] = [];
      await plugin.mqtt.subscribe({ topic: "raw" }, async (message) => void messages.push(message));
      await client.publishAsync("raw", Buffer.from([0xff, 0x00]), { qos: 1 });
      await waitFor("the binary message", () => messages.length === 1);
      assert.equal(messages[0]!.payloadBase64, "/wA=");
      assert.equal(messages[0]!.payload, undefined);
      await plugin.step("publish", { topic: "as/bytes", payload: { $base64: "/wA=" } });
      await waitFor("the bytes", () => received.has("as/bytes"));
      assert.equal(received.get("as/bytes"), "ff00");
      await assert.rejects(plugin.step("publish", { topic: "as/bytes", payload: { $base64: "no base64" } }), {
        code: "MQTT_BASE64_INVALID",
      });
    });
  });

  test(
    `${name}: the trigger gives input, event and delivery; what is no JSON is refused with its code and acknowledged`,
    options,
    async () => {
      await on(async ({ plugin, connect }) => {
        const emissions: Emission[] = [];
        await plugin.onMessage({ topic: "site/+/order" }, async (emission) => {
          emissions.push(emission);
          return { runId: "r" };
        });
        const client = await connect();
        await client.publishAsync("site/7/order", "not json", { qos: 1 });
        await client.publishAsync("site/7/order", Buffer.from([0xff]), { qos: 1 });
        await client.publishAsync("site/7/order", `"${"x".repeat(300_000)}"`, { qos: 1 });
        await client.publishAsync("site/7/order", '{"a":1}', { qos: 1 });
        await waitFor("the good message", () => emissions.length === 1);
        assert.deepEqual(emissions[0]!.input, { a: 1 });
        assert.deepEqual(emissions[0]!.event, {
          topic: "site/7/order",
          levels: ["site", "7", "order"],
          qos: 1,
          retain: false,
        });
        assert.equal(emissions[0]!.delivery!.redelivered, false);
        const codes = plugin.lines.map(({ fields }) => fields.code).filter((code) => code !== undefined);
        assert.deepEqual(codes, ["MQTT_PAYLOAD_INVALID", "MQTT_PAYLOAD_INVALID", "MQTT_PAYLOAD_TOO_LARGE"]);
      });
    },
  );

  test(
    `${name}: an emission that can be taken later is tried again; one that cannot is refused once`,
    options,
    async () => {
      await on(async ({ plugin, connect }) => {
        let attempts = 0;
        await plugin.onMessage({ topic: "later" }, async () => {
          attempts += 1;
          if (attempts < 3) throw Object.assign(new Error("full"), { code: "QUEUE_FULL", retryable: true });
          return { runId: "r" };
        });
        let refused = 0;
        await plugin.onMessage({ topic: "never" }, async () => {
          refused += 1;
          throw Object.assign(new Error("wrong"), { code: "INPUT_INVALID", retryable: false });
        });
        const client = await connect();
        await client.publishAsync("never", "{}", { qos: 1 });
        await client.publishAsync("later", "{}", { qos: 1 });
        await waitFor("the third attempt", () => attempts === 3);
        await waitFor("the refusal", () => refused === 1);
        assert.ok(plugin.lines.some(({ fields }) => fields.code === "INPUT_INVALID"));
      });
    },
  );

  test(
    `${name}: a retained message greets who subscribes, says so, and survives a restart of the plugin`,
    options,
    async () => {
      await on(async ({ host, plugin, config }) => {
        await plugin.mqtt.publish({ topic: "state", payload: "on", retain: true });
        await plugin.stop();
        const next = await host.start(config);
        const messages: Message[] = [];
        await next.mqtt.subscribe({ topic: "state" }, async (message) => void messages.push(message));
        await waitFor("the retained message", () => messages.length === 1);
        assert.deepEqual([messages[0]!.payload, messages[0]!.retain], ["on", true]);
      });
    },
  );

  test(`${name}: topics and filters that are none are refused before anything is sent`, options, async () => {
    await on(async ({ plugin }) => {
      for (const topic of ["a/+", "#", "", "a\u0000b", "x".repeat(70_000)])
        await assert.rejects(
          plugin.step("publish", { topic, payload: "" }),
          { code: "MQTT_TOPIC_INVALID" },
          topic.slice(0, 20),
        );
      for (const topic of ["a+", "a/#/b", "#/a", "$share/g", "$share/+/a", ""])
        await assert.rejects(
          plugin.mqtt.subscribe({ topic }, async () => {}),
          { code: "MQTT_TOPIC_INVALID" },
          topic,
        );
    });
  });
}
