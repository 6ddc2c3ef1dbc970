// A run that asks another one over the same broker and waits for its answer, beside many others: neither blocks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestHost } from "gantry/testing";
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
  const workflows = { asks, answers };
  await using host = await startTestHost({ plugins: ["script"], workflows, broker: "mosquitto", process: true });
  for (let n = 0; n < 20; n++) await host.mqtt.publish("ask", { n });
  const done = new Map<number, unknown>();
  while (done.size < 20) {
    const { n, answer } = (await host.mqtt.next("done", { timeoutMs: 60_000 })).json as { n: number; answer: unknown };
    done.set(n, answer);
  }
  for (let n = 0; n < 20; n++) assert.deepEqual(done.get(n), { square: n });
  await host.stop();
});
