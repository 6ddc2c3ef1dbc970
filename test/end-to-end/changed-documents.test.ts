// What a run began with is what it ends with, whatever happens to the documents meanwhile; and a message for a document
// that has become unreadable is refused aloud.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import mqtt from "mqtt";
import { openStoreForReading } from "../../host/store/open.ts";
import type { Run } from "../../host/store/store.ts";
import { startMosquitto } from "../../host/testing/mosquitto.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { HostProcess, makeHostFolder } from "../support/host-process.ts";
import { needs } from "../support/parts.ts";

/** Waits for a signal, then says which version of itself and of what it calls it is. */
const patient = (version: string) => ({
  name: "patient",
  on: [{ trigger: "mqtt/message", with: { topic: "patient" } }],
  steps: [
    { uses: "host/wait", with: { for: "go" } },
    { id: "inner", uses: "workflow:inner" },
    {
      uses: "script/run",
      with: { command: ["/bin/sh", "-c", `echo ${version} >> trace`], directory: "${{ inputs.directory }}" },
    },
  ],
  outputs: { outer: version, inner: "${{ steps.inner.outputs.version }}" },
});
const inner = (version: string) => ({ name: "inner", steps: [], outputs: { version } });
const go = {
  name: "go",
  on: [{ trigger: "mqtt/message", with: { topic: "go" } }],
  steps: [{ uses: "host/signal", with: { name: "go" } }],
};

test("a suspended run ends with the documents it began with; messages for a broken document are refused with its faults", {
  skip: needs("mosquitto"),
  timeout: 60_000,
}, async () => {
  const root = await mkdtemp(join(tmpdir(), "gantry-changed-"));
  const broker = await startMosquitto();
  const plugins = [{ plugin: "mqtt", config: { broker: broker.url } }, { plugin: "script" }];
  const documents = { patient: patient("old"), inner: inner("old"), go };
  const folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins }, documents);
  const file = (name: string) => join(root, "workflows", `${name}.json`);
  const client = await mqtt.connectAsync(broker.url);
  const say = (topic: string, input: object) => client.publishAsync(topic, JSON.stringify(input), { qos: 1 });
  const runs = (): Run[] => {
    const reader = openStoreForReading(folder.data);
    try {
      return reader.runs.list({ workflow: "patient" });
    } finally {
      reader.close();
    }
  };
  let host = new HostProcess(folder);
  const restart = async () => {
    await host.stop();
    host = new HostProcess(folder);
    await host.ready();
    await waitFor("the subscriptions", () => /subscribed/.test(host.log));
  };
  try {
    await host.ready();
    await waitFor("the subscriptions", () => (host.log.match(/subscribed to/g) ?? []).length === 2);
    await say("patient", { directory: root });
    await waitFor("the wait", () => runs()[0]?.status === "waiting");

    // The called workflow is another one now, and the caller has lost a brace.
    await writeFile(file("inner"), JSON.stringify(inner("new")));
    await writeFile(file("patient"), JSON.stringify({ ...patient("new"), steps: [{ uses: "script/rum" }] }, null, 2));
    await restart();
    await say("patient", { directory: root });
    const refusal = await waitFor("the refusal", () => host.lines().find(({ code }) => code === "WORKFLOW_BROKEN"));
    assert.match(String(refusal.msg), /patient has faults: .*patient\.json:\d+:\d+ .*script\/rum/);
    assert.equal(runs().length, 1, "a broken document started a run");

    // And then it is gone altogether.
    await rm(file("patient"));
    await restart();
    await say("go", {});
    const ended = await waitFor("the end", () => runs().find(({ endedAt }) => endedAt !== null));
    assert.equal(ended.status, "succeeded", JSON.stringify(ended.error));
    assert.deepEqual(ended.output, { outer: "old", inner: "old" });
    assert.equal(await readFile(join(root, "trace"), "utf8"), "old\n");
  } finally {
    await client.endAsync(true);
    await host.stop();
    await broker.stop();
    await rm(root, { recursive: true });
  }
});
