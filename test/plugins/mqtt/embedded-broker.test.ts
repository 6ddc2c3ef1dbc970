import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import mqtt from "mqtt";
import { waitFor } from "../../../host/testing/wait-for.ts";
import type { Message } from "../../../plugins/mqtt/service.ts";
import { PluginHost, said } from "./plugin-host.ts";

const portOf = (lines: { text: string; fields: Record<string, unknown> }[]) =>
  lines.find(({ text }) => /listens/.test(text))!.fields.port as number;

test("a port that is taken makes the plugin unavailable, with a remedy", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  await using host = new PluginHost();
  const { port } = other.address() as AddressInfo;
  await assert.rejects(host.start({ broker: "embedded", port }), (error: Error & { code: string; remedy: string }) => {
    assert.equal(error.code, "PLUGIN_UNAVAILABLE");
    assert.match(error.remedy, /broker.*port/);
    return true;
  });
  other.close();
});

test("it listens on loopback only", async () => {
  await using host = new PluginHost();
  const plugin = await host.start({ broker: "embedded", port: 0 });
  assert.ok(said(plugin, /127\.0\.0\.1:\d+/));
});

test("MQTT 5 and shared subscriptions are refused with their codes", async () => {
  await using host = new PluginHost();
  await assert.rejects(host.start({ broker: "embedded", port: 0, protocolVersion: 5 }), {
    code: "MQTT_PROTOCOL_UNSUPPORTED",
  });
  const plugin = await host.start({ broker: "embedded", port: 0 });
  const received: string[] = [];
  await assert.rejects(
    plugin.mqtt.subscribe({ topic: "$share/g/t" }, async ({ topic }) => void received.push(topic)),
    { code: "MQTT_SHARED_UNSUPPORTED" },
  );
  await plugin.mqtt.publish({ topic: "t", payload: "x" });
  assert.deepEqual(received, [], "a refused subscription still gets messages");
});

test("user and password are asked of other clients where they are configured", async () => {
  await using host = new PluginHost();
  const plugin = await host.start({ broker: "embedded", port: 0, username: "u", password: "p" });
  const url = `mqtt://127.0.0.1:${portOf(plugin.lines)}`;
  await assert.rejects(
    mqtt.connectAsync(url, { username: "u", password: "x", reconnectPeriod: 0 }),
    /not authorized|bad user/i,
  );
  const client = await mqtt.connectAsync(url, { username: "u", password: "p" });
  await client.endAsync();
});

test("two clients talk to each other through it, with a will and a retained message", async () => {
  await using host = new PluginHost();
  const plugin = await host.start({ broker: "embedded", port: 0 });
  const url = `mqtt://127.0.0.1:${portOf(plugin.lines)}`;
  const listener = await mqtt.connectAsync(url);
  const received: string[] = [];
  listener.on("message", (topic, payload) => received.push(`${topic} ${payload}`));
  await listener.subscribeAsync(["will", "state"], { qos: 1 });
  const dying = await mqtt.connectAsync(url, {
    will: { topic: "will", payload: Buffer.from("gone"), qos: 1, retain: false },
  });
  await dying.publishAsync("state", "up", { qos: 1, retain: true });
  dying.stream.destroy();
  await waitFor("both messages", () => received.length === 2);
  assert.deepEqual(received.toSorted(), ["state up", "will gone"]);
  await dying.endAsync(true);
  await listener.endAsync();
});

test("a message of the outbox that a listener here refuses at first goes to other clients once", async (t) => {
  await using host = new PluginHost();
  const plugin = await host.start({ broker: "embedded", port: 0 });
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${portOf(plugin.lines)}`);
  t.after(() => client.endAsync(true));
  const received: string[] = [];
  client.on("message", (_, payload) => received.push(payload.toString()));
  await client.subscribeAsync("out", { qos: 1 });
  let attempts = 0;
  await plugin.mqtt.subscribe({ topic: "out" }, async () => {
    if (++attempts < 3) throw new Error("not now");
  });
  await plugin.step("publish", { topic: "out", payload: "first" });
  await plugin.step("publish", { topic: "out", payload: "second" });
  await waitFor("the second message", () => attempts >= 4 && received.includes("second"));
  assert.deepEqual(received, ["first", "second"]);
});

test("a retained message that is too much to keep does not leave its predecessor in its place", async () => {
  await using host = new PluginHost();
  const first = await host.start({ broker: "embedded", port: 0 });
  await first.mqtt.publish({ topic: "state", payload: "old", retain: true });
  await first.mqtt.publish({ topic: "state", payload: "x".repeat((1 << 20) + 1), retain: true });
  await first.stop();
  const second = await host.start({ broker: "embedded", port: 0 });
  const messages: Message[] = [];
  await second.mqtt.subscribe({ topic: "state" }, async (message) => void messages.push(message));
  await sleep(200);
  assert.deepEqual(messages, []);
});

test("a listener here that does not get done with a message is complained of by name of its topic", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  await using host = new PluginHost();
  const plugin = await host.start({ broker: "embedded", port: 0 });
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  let arrived = 0;
  await plugin.mqtt.subscribe({ topic: "out" }, () => {
    arrived += 1;
    return done;
  });
  await plugin.step("publish", { topic: "out", payload: "x" });
  await waitFor("the message", () => arrived === 1);
  const complaints = () => plugin.lines.filter(({ fields }) => fields.code === "MQTT_LISTENER_SLOW");
  assert.equal(complaints().length, 0);
  t.mock.timers.tick(10_000);
  assert.deepEqual(
    complaints().map(({ fields }) => fields.topic),
    ["out"],
  );
  finish();
  await plugin.step("publish", { topic: "out", payload: "y" });
  await waitFor("the next message", () => arrived === 2);
  await sleep(100);
  t.mock.timers.tick(60_000);
  assert.equal(complaints().length, 1, "still complained of, though it is done");
});
