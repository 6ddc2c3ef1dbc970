import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import mqtt from "mqtt";
import { openStoreForReading } from "../../host/store/open.ts";
import { startMosquitto } from "../../host/testing/mosquitto.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { HostProcess, makeHostFolder } from "../support/host-process.ts";
import { needs } from "../support/parts.ts";

const count = {
  name: "count",
  on: [{ trigger: "mqtt/message", with: { topic: "count" } }],
  inputs: { type: "object", required: ["n"], properties: { n: { type: "integer" } } },
  steps: [{ uses: "mqtt/publish", with: { topic: "counted", payload: "${{ inputs.n }}" } }],
};

test("a host whose broker is away says it is ready, and serves after each time the broker comes", {
  skip: needs("mosquitto"),
  timeout: 120_000,
}, async () => {
  const root = await mkdtemp(join(tmpdir(), "gantry-away-"));
  const broker = await startMosquitto();
  await broker.stop();
  const plugins = [{ plugin: "mqtt", config: { broker: broker.url } }];
  const folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins }, { count });
  const host = new HostProcess(folder);
  try {
    await host.ready();
    for (let round = 1; round <= 3; round++) {
      const seen = (host.log.match(/subscribed/g) ?? []).length;
      await broker.restart();
      await waitFor(`subscription ${round}\n${host.log}`, () => (host.log.match(/subscribed/g) ?? []).length > seen);
      const client = await mqtt.connectAsync(broker.url);
      const counted: string[] = [];
      client.on("message", (_, payload) => counted.push(payload.toString()));
      await client.subscribeAsync("counted", { qos: 1 });
      await client.publishAsync("count", JSON.stringify({ n: round }), { qos: 1 });
      await waitFor(`the report of round ${round}\n${host.log}`, () => counted.includes(String(round)));
      await client.endAsync();
      if (round < 3) await broker.stop();
    }
    const store = openStoreForReading(folder.data);
    const inputs = store.runs.list({ workflow: "count" }).map(({ input }) => (input as { n: number }).n);
    store.close();
    assert.deepEqual(inputs.toSorted(), [1, 2, 3]);
  } finally {
    assert.equal(await host.stop(), 0);
    await broker.stop();
    await rm(root, { recursive: true });
  }
});
