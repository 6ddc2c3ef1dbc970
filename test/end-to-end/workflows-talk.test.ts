// A run that asks another one over the same broker and waits for its answer, beside many others: neither blocks.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import mqtt from "mqtt";
import { startMosquitto } from "../../host/testing/mosquitto.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { HostProcess, makeHostFolder } from "../support/host-process.ts";
import { needs } from "../support/parts.ts";

const asks = {
  name: "asks",
  on: [{ trigger: "mqtt/message", with: { topic: "ask" } }],
  inputs: { type: "object", required: ["n"], properties: { n: { type: "integer" } } },
  steps: [
    {
      id: "answer",
      uses: "mqtt/request",
      with: {
        topic: "question",
        payload: { n: "${{ inputs.n }}", replyTo: "answer/${{ inputs.n }}" },
        responseTopic: "answer/${{ inputs.n }}",
        timeout: "20s",
      },
    },
    {
      uses: "mqtt/publish",
      with: { topic: "done", payload: { n: "${{ inputs.n }}", answer: "${{ steps.answer.outputs.payload }}" } },
    },
  ],
};
const answers = {
  name: "answers",
  on: [{ trigger: "mqtt/message", with: { topic: "question" } }],
  inputs: {
    type: "object",
    required: ["n", "replyTo"],
    properties: { n: { type: "integer" }, replyTo: { type: "string" } },
  },
  steps: [
    { uses: "script/run", with: { command: ["sleep", "0.05"], directory: "${{ run.directory }}" } },
    { uses: "mqtt/publish", with: { topic: "${{ inputs.replyTo }}", payload: { square: "${{ inputs.n }}" } } },
  ],
};

test("20 runs ask 20 others by mqtt/request over one connection, and all are answered", {
  skip: needs("mosquitto"),
  timeout: 120_000,
}, async () => {
  const root = await mkdtemp(join(tmpdir(), "gantry-talk-"));
  const broker = await startMosquitto();
  const plugins = [{ plugin: "mqtt", config: { broker: broker.url } }, { plugin: "script" }];
  const folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins }, { asks, answers });
  const host = new HostProcess(folder);
  await host.ready();
  await waitFor("the subscriptions", () => (host.log.match(/subscribed/g) ?? []).length >= 2);
  const client = await mqtt.connectAsync(broker.url);
  try {
    const done = new Map<number, unknown>();
    client.on("message", (_, payload) => {
      const { n, answer } = JSON.parse(payload.toString());
      done.set(n, answer);
    });
    await client.subscribeAsync("done", { qos: 1 });
    for (let n = 0; n < 20; n++) await client.publishAsync("ask", JSON.stringify({ n }), { qos: 1 });
    await waitFor(`all answers\n${host.log}`, () => done.size === 20, 60_000);
    for (let n = 0; n < 20; n++) assert.deepEqual(done.get(n), { square: n });
  } finally {
    await client.endAsync();
    assert.equal(await host.stop(), 0);
    await broker.stop();
    await rm(root, { recursive: true });
  }
});
