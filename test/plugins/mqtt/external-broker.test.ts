import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Aedes } from "aedes";
import mqtt from "mqtt";
import { compileSchema } from "../../../host/documents/schema-check.ts";
import type { JsonObject } from "../../../host/sdk.ts";
import { type Mosquitto, type MosquittoOptions, startMosquitto } from "../../../host/testing/mosquitto.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import manifest from "../../../plugins/mqtt/plugin.json" with { type: "json" };
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { needs } from "../../support/parts.ts";
import { PluginHost, said } from "./plugin-host.ts";

const options = { skip: needs("mosquitto"), timeout: 30_000 };

async function withBroker(
  config: MosquittoOptions,
  work: (broker: Mosquitto, host: PluginHost) => Promise<void>,
): Promise<void> {
  const broker = await startMosquitto(config);
  try {
    await using host = new PluginHost();
    await work(broker, host);
  } finally {
    await broker.stop();
  }
}

for (const persistence of [true, false]) {
  test(
    `subscriptions come back after each restart of a broker ${persistence ? "with" : "without"} memory`,
    options,
    async () => {
      await withBroker({ persistence }, async (broker, host) => {
        const plugin = await host.start({ broker: broker.url });
        const received: string[] = [];
        await plugin.mqtt.subscribe({ topic: "t" }, async ({ payload }) => void received.push(payload!));
        for (let round = 0; round < 3; round++) {
          if (round > 0) await broker.restart();
          const lines = plugin.lines.filter(({ text }) => /subscribed/.test(text)).length;
          await waitFor(
            "the subscription",
            () => plugin.lines.filter(({ text }) => /subscribed/.test(text)).length > Math.min(lines, round),
          );
          const client = await mqtt.connectAsync(broker.url);
          await client.publishAsync("t", String(round), { qos: 1 });
          await waitFor(`message ${round}`, () => received.includes(String(round)));
          await client.endAsync();
        }
        assert.deepEqual(received, ["0", "1", "2"]);
      });
    },
  );
}

test("a loss of the connection is said once, however often it is tried again", options, async () => {
  await withBroker({}, async (broker, host) => {
    const plugin = await host.start({ broker: broker.url });
    await waitFor("the connection", () => said(plugin, /connected/));
    await broker.stop();
    await sleep(2000);
    const lost = plugin.lines.filter(({ text }) => /no connection/.test(text));
    assert.ok(lost.length >= 1 && lost.length <= 2, `said ${lost.length} times: ${lost.map(({ text }) => text)}`);
  });
});

test(
  "the outbox keeps its messages and their order while the broker is away and the host is started anew",
  options,
  async () => {
    await withBroker({}, async (broker, host) => {
      const collector = await mqtt.connectAsync(broker.url, {
        clientId: "collector",
        clean: false,
        reconnectPeriod: 100,
      });
      const received: string[] = [];
      collector.on("message", (_, payload) => received.push(payload.toString()));
      await collector.subscribeAsync("out", { qos: 1 });
      await sleep(1200);
      await broker.stop();
      const first = await host.start({ broker: broker.url });
      for (let n = 0; n < 30; n++) await first.step("publish", { topic: "out", payload: n }, `key/${n}`);
      await first.stop();
      const second = await host.start({ broker: broker.url });
      for (let n = 20; n < 40; n++) await second.step("publish", { topic: "out", payload: n }, `key/${n}`);
      await broker.restart();
      await waitFor("all messages", () => received.includes("39"));
      assert.deepEqual(
        [...new Set(received)],
        Array.from({ length: 40 }, (_, n) => String(n)),
      );
      await collector.endAsync(true);
    });
  },
);

test("a QoS 0 message without a connection fails with MQTT_OFFLINE", options, async () => {
  await withBroker({}, async (broker, host) => {
    await broker.stop();
    const plugin = await host.start({ broker: broker.url });
    await assert.rejects(plugin.step("publish", { topic: "t", payload: "x", qos: 0 }), { code: "MQTT_OFFLINE" });
  });
});

test(
  "a wrong password is said in the log without the password; the right one connects, also as a secret",
  options,
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "gantry-password-"));
    try {
      const file = join(directory, "passwords");
      // Made by mosquitto_passwd -U from plain text.
      await writeFile(file, "gateway:correct horse\n");
      const { execFileSync } = await import("node:child_process");
      execFileSync("mosquitto_passwd", ["-U", file]);
      await withBroker({ anonymous: false, config: [`password_file ${file}`] }, async (broker, host) => {
        const wrong = await host.start({ broker: broker.url, username: "gateway", password: "wrong staple" });
        await waitFor("the refusal", () => said(wrong, /no connection.*(not authorized|bad user|refused)/i));
        assert.ok(!wrong.lines.some(({ text, fields }) => JSON.stringify({ text, fields }).includes("staple")));
        await wrong.stop();
        const right = await host.start(
          { broker: broker.url, username: "gateway", password: { $secret: "PW" } },
          { password: "correct horse" },
        );
        await waitFor("the connection", () => said(right, /connected/));
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);

test("TLS: the broker is verified, and a client certificate is shown", {
  ...options,
  skip: needs("mosquitto") || needs("openssl"),
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), "gantry-tls-"));
  try {
    const certificates = await makeCertificates(directory);
    await withBroker(
      { scheme: "mqtts", config: tlsListener(certificates, certificates.server) },
      async (broker, host) => {
        const client = { cert: certificates.client.certFile, key: certificates.client.keyFile };
        const tries: [string, JsonObject, RegExp][] = [
          [
            "unknown authority",
            { caCert: certificates.otherCa.certFile, ...client },
            /no connection.*(self-signed|unable to|issuer|verify)/i,
          ],
          ["no client certificate", { caCert: certificates.ca.certFile }, /no connection.*(certificate|closed|reset)/i],
          ["all right", { caCert: certificates.ca.certFile, ...client }, /connected to broker/],
        ];
        for (const [words, config, expected] of tries) {
          const plugin = await host.start({ broker: broker.url, ...config });
          await waitFor(`${words}: ${expected}`, () => said(plugin, expected), 10_000).catch((error) => {
            throw new Error(`${error.message}; said: ${plugin.lines.map(({ text }) => text).join(" | ")}`);
          });
          await plugin.stop();
        }
      },
    );
    await withBroker(
      { scheme: "mqtts", config: tlsListener(certificates, certificates.otherName) },
      async (broker, host) => {
        const plugin = await host.start({
          broker: broker.url,
          caCert: certificates.ca.certFile,
          cert: certificates.client.certFile,
          key: certificates.client.keyFile,
        });
        await waitFor("the wrong name", () => said(plugin, /no connection.*(altnames|hostname)/i));
      },
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});

function tlsListener({ ca }: Certificates, { certFile, keyFile }: Certificates["server"]): string[] {
  return [`cafile ${ca.certFile}`, `certfile ${certFile}`, `keyfile ${keyFile}`, "require_certificate true"];
}

test("a certificate file that cannot be read is a failure with its code", options, async () => {
  await using host = new PluginHost();
  await assert.rejects(host.start({ broker: "mqtts://localhost:1", caCert: "/nowhere/ca.pem" }), {
    code: "MQTT_CONFIG_FILE_UNREADABLE",
  });
});

test(
  "MQTT 5: a request tells where its answer is expected, and a refused message fails with MQTT_REFUSED",
  options,
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "gantry-acl-"));
    try {
      const acl = join(directory, "acl");
      await writeFile(acl, "topic readwrite ok/#\ntopic readwrite gantry/#\ntopic read denied/#\n");
      await withBroker({ config: [`acl_file ${acl}`] }, async (broker, host) => {
        const plugin = await host.start({ broker: broker.url, protocolVersion: 5 });
        await waitFor("the connection", () => said(plugin, /connected/));
        const other = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
        other.on("message", (_, payload, { properties }) => {
          const { responseTopic, correlationData } = properties!;
          other.publish(responseTopic!, JSON.stringify({ heard: payload.toString() }), {
            qos: 1,
            properties: { correlationData: correlationData! },
          });
        });
        await other.subscribeAsync("ok/ask", { qos: 1 });
        assert.deepEqual(await plugin.step("request", { topic: "ok/ask", payload: "hello" }), {
          payload: { heard: "hello" },
        });
        await assert.rejects(plugin.mqtt.publish({ topic: "denied/x", payload: "no" }), { code: "MQTT_REFUSED" });
        await plugin.step("publish", { topic: "denied/x", payload: "no" });
        await waitFor("the message given up", () => plugin.lines.some(({ fields }) => fields.code === "MQTT_REFUSED"));
        await other.endAsync();
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);

test("hosts that share a subscription share its messages: each message goes to one of them", options, async () => {
  await withBroker({}, async (broker, host) => {
    await using second = new PluginHost();
    const received: [string[], string[]] = [[], []];
    for (const [index, one] of [host, second].entries()) {
      const plugin = await one.start({ broker: broker.url });
      await plugin.mqtt.subscribe(
        { topic: "$share/site/job" },
        async ({ payload }) => void received[index]!.push(payload!),
      );
      await waitFor("the subscription", () => said(plugin, /subscribed/));
    }
    const client = await mqtt.connectAsync(broker.url);
    for (let n = 0; n < 40; n++) await client.publishAsync("job", String(n), { qos: 1 });
    await waitFor("all messages", () => received.flat().length >= 40);
    await client.endAsync();
    assert.deepEqual(
      received
        .flat()
        .map(Number)
        .toSorted((a, b) => a - b),
      Array.from({ length: 40 }, (_, n) => n),
    );
    assert.ok(
      received.every((part) => part.length > 0),
      "one host got everything",
    );
  });
});

test("more messages than the window holds wait at the broker and come when there is room", options, async () => {
  await withBroker({ config: ["max_inflight_messages 0"] }, async (broker, host) => {
    const plugin = await host.start({ broker: broker.url, window: 5 });
    const release = Promise.withResolvers<void>();
    const handled = new Set<string>();
    await plugin.mqtt.subscribe({ topic: "many" }, async ({ payload }) => {
      await release.promise;
      handled.add(payload!);
    });
    await waitFor("the subscription", () => said(plugin, /subscribed/));
    const client = await mqtt.connectAsync(broker.url);
    for (let n = 0; n < 30; n++) await client.publishAsync("many", String(n), { qos: 1 });
    await waitFor("the word of the window", () => said(plugin, /more than 5 messages/));
    assert.equal(handled.size, 0);
    release.resolve();
    await waitFor("all messages", () => handled.size === 30);
    await client.endAsync();
  });
});

test("MQTT 5: requests that share a response topic each get the answer to their own question", options, async (t) => {
  await withBroker({}, async (broker, host) => {
    const plugin = await host.start({ broker: broker.url, protocolVersion: 5 });
    const other = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    t.after(() => other.endAsync(true));
    const questions: (() => void)[] = [];
    other.on("message", (_, payload, { properties }) => {
      const { responseTopic, correlationData } = properties!;
      questions.push(() =>
        other.publish(responseTopic!, payload.toString(), {
          qos: 1,
          properties: { correlationData: correlationData! },
        }),
      );
      // Answered when all have asked, the last question first.
      if (questions.length === 3) for (const answer of questions.toReversed()) answer();
    });
    await other.subscribeAsync("ask", { qos: 1 });
    const ask = (n: number) => plugin.step("request", { topic: "ask", payload: n, responseTopic: "answers" });
    assert.deepEqual(await Promise.all([ask(1), ask(2), ask(3)]), [{ payload: 1 }, { payload: 2 }, { payload: 3 }]);
  });
});

test("a request that was given up while the broker was away is not asked later", options, async (t) => {
  await withBroker({}, async (broker, host) => {
    const collector = await mqtt.connectAsync(broker.url, { clientId: "collector", clean: false, reconnectPeriod: 50 });
    t.after(() => collector.endAsync(true));
    const asked: string[] = [];
    collector.on("message", (topic) => asked.push(topic));
    await collector.subscribeAsync(["ask", "end"], { qos: 1 });
    await broker.stop();
    const plugin = await host.start({ broker: broker.url });
    // Long enough for attempts to connect that fail meanwhile.
    await assert.rejects(plugin.step("request", { topic: "ask", payload: 1, timeout: "2s" }), {
      code: "MQTT_REQUEST_TIMEOUT",
    });
    await plugin.step("publish", { topic: "end", payload: null });
    await broker.restart();
    await waitFor("the message after it", () => asked.includes("end"));
    assert.deepEqual(asked, ["end"]);
  });
});

// Mosquitto's access list refuses deliveries, not subscriptions.
test("a refused subscription is said once with its code, and made when the broker allows it", options, async () => {
  let allowed = false;
  let requests = 0;
  const aedes = await Aedes.createBroker({
    authorizeSubscribe: (_client, subscription, done) => {
      requests += 1;
      done(null, allowed ? subscription : null);
    },
  });
  const server = createServer((socket) => void aedes.handle(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await using host = new PluginHost();
    const plugin = await host.start({ broker: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await waitFor("the connection", () => said(plugin, /connected/));
    await plugin.mqtt.subscribe({ topic: "t" }, async () => {});
    await waitFor("a second attempt", () => requests >= 2);
    allowed = true;
    await waitFor("the subscription", () => said(plugin, /subscribed to t/));
    assert.equal(plugin.lines.filter(({ fields }) => fields.code === "MQTT_SUBSCRIBE_REFUSED").length, 1);
  } finally {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    server.close();
  }
});

test(
  "each connection is told once what is subscribed to has been asked for, also to who asks later",
  options,
  async () => {
    const broker = await startMosquitto();
    try {
      await using host = new PluginHost();
      const plugin = await host.start({ broker: broker.url });
      let connections = 0;
      const messages: string[] = [];
      await plugin.mqtt.subscribe({ topic: "hello" }, async ({ payload }) => void messages.push(payload!));
      const stop = await plugin.mqtt.connections({}, async () => {
        connections += 1;
        // Only a subscription that is there already gets what is sent now.
        await plugin.mqtt.publish({ topic: "hello", payload: `${connections}` });
      });
      await waitFor("the first connection", () => messages.length === 1);
      await broker.restart();
      await waitFor("the second connection", () => messages.length === 2);
      assert.deepEqual(messages, ["1", "2"]);
      let late = 0;
      await plugin.mqtt.connections({}, async () => {
        late += 1;
      });
      assert.equal(late, 1);
      const changes: boolean[] = [];
      await plugin.mqtt.connections({ losses: true }, async ({ connected }) => void changes.push(connected));
      await stop();
      await broker.restart();
      await waitFor("the third connection", () => late === 2);
      assert.equal(connections, 2, "told after its stop");
      assert.deepEqual(changes, [true, false, true]);
    } finally {
      await broker.stop();
    }
  },
);

test("a broker's URL with a password in it is refused by the schema", () => {
  const problems = compileSchema(manifest.config as unknown as JsonObject)({ broker: "mqtt://user:pass@localhost" });
  assert.deepEqual(
    problems.map(({ pointer }) => pointer),
    ["/broker"],
  );
});
