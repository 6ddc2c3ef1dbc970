// The brokers of the kit, and what a test says and hears there.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";
import { needs } from "../support/parts.ts";

const talker = new URL("./plugins/talker/", import.meta.url);

const said = {
  on: [{ trigger: "mqtt/message", with: { topic: "say" } }],
  inputs: { type: "object", required: ["text"], properties: { text: { type: "string" } } },
  steps: [{ uses: "talker/say", with: { text: "${{ inputs.text }}" } }],
};

for (const [broker, skip] of [
  ["embedded", false],
  ["mosquitto", needs("mosquitto")],
] as const) {
  test(`with the broker ${broker} the test hears and says what a backend would, also while the host is cut off`, {
    skip,
  }, async () => {
    await using host = await startTestHost({ plugins: [talker], workflows: { said }, broker });
    await host.mqtt.publish("say", { text: "hello" });
    assert.deepEqual((await host.mqtt.next("said")).json, { text: "hello" });
    assert.equal((await host.nextRun("said")).status, "succeeded");

    await host.broker.offline();
    await waitFor("the loss", () => host.log.some(({ msg }) => /no connection to broker/.test(msg)));
    await host.mqtt.publish("say", { text: "are you there?" });
    assert.equal(host.mqtt.heard.filter(({ topic }) => topic === "said").length, 1);
    await host.broker.online();
    assert.deepEqual((await host.mqtt.next("+")).topic, "say");
    assert.deepEqual((await host.mqtt.next("said")).json, { text: "are you there?" });
    await assert.rejects(host.mqtt.next("never/#", { timeoutMs: 1 }), /never\/#; heard were say, said, say, said/);
  });

  test(`the broker ${broker} is stopped and comes back: nothing said to it meanwhile or kept by it is lost`, {
    skip,
  }, async () => {
    await using host = await startTestHost({ plugins: [talker], workflows: { said }, broker, process: true });
    await host.broker.stop();
    await waitFor("the loss", () => host.log.some(({ msg }) => /no connection to broker/.test(msg)));
    assert.equal(host.broker.isOnline, false);
    await assert.rejects(once(connect(host.broker.port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
    // A host begins and ends without it.
    await host.kill();
    await host.resume();
    await host.stop();
    const published = host.mqtt.publish("say", { text: "hello" });
    await host.broker.restart();
    await published;
    assert.equal(host.broker.isOnline, true);
    await host.broker.restart();
    await host.resume();
    assert.deepEqual((await host.mqtt.next("said")).json, { text: "hello" });
    await host.mqtt.publish("say", { text: "again" });
    assert.deepEqual((await host.mqtt.next("said")).json, { text: "again" });
  });
}

for (const process of [false, true])
  test(`the broker in the plugin mqtt comes and goes with the host, ${process ? "killed" : "stopped"}`, async () => {
    await using host = await startTestHost({ plugins: [talker], workflows: { said }, broker: "plugin", process });
    await host.mqtt.publish("say", { text: "hello" });
    assert.deepEqual((await host.mqtt.next("said")).json, { text: "hello" });
    await host.nextRun("said");
    await assert.rejects(host.broker.offline(), /comes and goes with the host/);
    await (process ? host.kill() : host.stop());
    await assert.rejects(host.mqtt.publish("say", { text: "are you there?" }), /resume/);
    await host.resume();
    await host.mqtt.publish("say", { text: "here again?" });
    assert.deepEqual((await host.mqtt.next("said")).json, { text: "here again?" });
    assert.deepEqual(
      host.mqtt.heard.map(({ topic }) => topic),
      ["say", "said", "say", "said"],
    );
    assert.equal(host.broker.url, `mqtt://127.0.0.1:${host.broker.port}`);
  });

test("something of the test's stands between broker and host, and not between broker and test", async () => {
  let broker: number | undefined;
  let passed = "";
  const server = createServer((host) => {
    const behind = connect(broker!, "127.0.0.1");
    host.on("data", (bytes) => {
      passed += bytes;
    });
    host.pipe(behind).pipe(host);
    for (const socket of [host, behind]) socket.on("error", () => {});
  });
  const between = async (port: number) => {
    broker = port;
    await once(server.listen(0, "127.0.0.1"), "listening");
    return (server.address() as AddressInfo).port;
  };
  try {
    await using host = await startTestHost({ plugins: [talker], workflows: { said }, broker: "embedded", between });
    assert.equal(broker, host.broker.port);
    await host.mqtt.publish("say", { text: "hello" });
    await host.mqtt.next("said");
    // The host says it once; what the test has said came another way.
    assert.equal(passed.split('{"text":"hello"}').length, 2, passed);
  } finally {
    server.close();
  }
});

test("a backend answers by itself, each message that it listens for", async () => {
  const ask = {
    steps: [
      { id: "ask", uses: "mqtt/request", with: { topic: "ask/${{ inputs.n }}", responseTopic: "told", payload: "?" } },
    ],
    inputs: { type: "object", required: ["n"], properties: { n: { type: "integer" } } },
    outputs: "${{ steps.ask.outputs.payload }}",
  };
  await using host = await startTestHost({ workflows: { ask }, broker: "embedded" });
  host.mqtt.listen("ask/+", ({ topic }) => void host.mqtt.publish("told", `of ${topic}`));
  for (const n of [1, 2]) assert.equal((await host.run("ask", { n })).output, `of ask/${n}`);
});
