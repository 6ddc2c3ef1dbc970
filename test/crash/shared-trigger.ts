// Two hosts take turns at one topic while one of them is killed again and again: every message becomes a run.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mqtt from "mqtt";
import { openStoreForReading } from "../../host/store/open.ts";
import { startMosquitto } from "../../host/testing/mosquitto.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";

const workflow = {
  name: "jobs",
  on: [{ trigger: "mqtt/message", with: { topic: "$share/site/jobs" } }],
  inputs: { type: "object", required: ["n"], properties: { n: { type: "integer" } } },
  steps: [],
};

interface Taken {
  n: number;
  at: number;
}

export async function shareWhileKilled(messages: number, kills: number): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "gantry-shared-"));
  const broker = await startMosquitto();
  const configuration = { workflows: ["./workflows"], plugins: [{ plugin: "mqtt", config: { broker: broker.url } }] };
  const [steady, mortal] = (await Promise.all(
    ["steady", "mortal"].map((name) => makeHostFolder(join(root, name), configuration, { jobs: workflow })),
  )) as [HostFolder, HostFolder];
  const client = await mqtt.connectAsync(broker.url);
  const hosts = { steady: new HostProcess(steady), mortal: new HostProcess(mortal) };
  const deaths: number[] = [];
  const serves = (host: HostProcess) => waitFor("the subscription", () => /subscribed/.test(host.log));
  try {
    await Promise.all(Object.values(hosts).map(serves));
    for (let n = 0; n < messages; n++) {
      await client.publishAsync("jobs", JSON.stringify({ n }), { qos: 1 });
      if ((n + 1) % Math.ceil(messages / (kills + 1)) !== 0 || deaths.length >= kills) continue;
      deaths.push(Date.now());
      await hosts.mortal.kill();
      hosts.mortal = new HostProcess(mortal);
      // Part of what follows is sent while it is away, part while it comes up.
      await sleep(deaths.length % 2 === 0 ? 0 : 300);
    }
    await serves(hosts.mortal);
    const all = () => new Set([...takenBy(steady), ...takenBy(mortal)].map(({ n }) => n));
    await waitFor(`all ${messages} runs`, () => all().size === messages);
    const died = takenBy(mortal);
    assert.ok(died.length > 0 && takenBy(steady).length > 0, "one host had all the work");
    const counts = new Map<number, number>();
    for (const { n } of [...takenBy(steady), ...died]) counts.set(n, (counts.get(n) ?? 0) + 1);
    for (const [n, count] of counts) {
      if (count === 1) continue;
      // In flight at a death: taken by the host that died, not long before.
      const taken = died.filter((run) => run.n === n);
      const inFlight = taken.some(({ at }) => deaths.some((death) => at <= death + 50 && at > death - 3000));
      assert.ok(inFlight, `message ${n} became ${count} runs, and no host died on it`);
    }
  } finally {
    await client.endAsync(true);
    await Promise.all(Object.values(hosts).map((host) => host.stop()));
    await broker.stop();
    await rm(root, { recursive: true });
  }
}

function takenBy({ data }: HostFolder): Taken[] {
  const reader = openStoreForReading(data);
  try {
    return reader.runs.list({}).map(({ input, acceptedAt }) => ({ n: (input as { n: number }).n, at: acceptedAt }));
  } finally {
    reader.close();
  }
}
