import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import mqtt from "mqtt";
import { waitFor } from "../../support/wait-for.ts";
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
  await assert.rejects(
    plugin.mqtt.subscribe({ topic: "$share/g/t" }, async () => {}),
    { code: "MQTT_SHARED_UNSUPPORTED" },
  );
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
