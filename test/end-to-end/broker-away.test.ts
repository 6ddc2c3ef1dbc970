import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestHost } from "gantry/testing";
import { needs } from "../support/parts.ts";

const count = {
  on: [{ trigger: "mqtt/message", with: { topic: "count" } }],
  inputs: { type: "object", required: ["n"], properties: { n: { type: "integer" } } },
  steps: [{ uses: "mqtt/publish", with: { topic: "counted", payload: "${{ inputs.n }}" } }],
};

test("a host whose broker is away says it is ready, and serves after each time the broker comes", {
  skip: needs("mosquitto"),
  timeout: 120_000,
}, async () => {
  await using host = await startTestHost({ workflows: { count }, broker: "mosquitto", process: true });
  await host.stop();
  await host.broker.offline();
  await host.resume();
  for (let round = 1; round <= 3; round++) {
    await host.mqtt.publish("count", { n: round });
    await host.broker.online();
    assert.equal((await host.mqtt.next("counted")).json, round);
    await host.broker.offline();
  }
  assert.deepEqual(
    host.runs("count").map(({ input }) => input),
    [{ n: 1 }, { n: 2 }, { n: 3 }],
  );
  await host.stop();
});
