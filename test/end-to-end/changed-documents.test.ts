// What a run began with is what it ends with, whatever happens to the documents meanwhile; and a message for a document
// that has become unreadable is refused aloud.

import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";
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
  const workflows = { patient: patient("old"), inner: inner("old"), go };
  await using host = await startTestHost({ plugins: ["script"], workflows, broker: "mosquitto", process: true });
  const { directory } = host;
  const file = (name: string) => join(directory, "workflows", `${name}.json`);
  const restart = async () => {
    await host.stop();
    await host.resume();
  };
  await host.mqtt.publish("patient", { directory });
  await waitFor("the wait", () => host.runs("patient")[0]?.status === "waiting");

  // The called workflow is another one now, and the caller has lost a brace.
  await writeFile(file("inner"), JSON.stringify(inner("new")));
  await writeFile(file("patient"), JSON.stringify({ ...patient("new"), steps: [{ uses: "script/rum" }] }, null, 2));
  await restart();
  await host.mqtt.publish("patient", { directory });
  const refusal = await waitFor("the refusal", () => host.log.find(({ code }) => code === "WORKFLOW_BROKEN"));
  assert.match(refusal.msg, /patient has faults: .*patient\.json:\d+:\d+ .*script\/rum/);
  assert.equal(host.runs("patient").length, 1, "a broken document started a run");

  // And then it is gone altogether.
  await rm(file("patient"));
  await restart();
  await host.mqtt.publish("go", {});
  const ended = await host.nextRun("patient");
  assert.equal(ended.status, "succeeded", JSON.stringify(ended.error));
  assert.deepEqual(ended.output, { outer: "old", inner: "old" });
  assert.equal(await readFile(join(directory, "trace"), "utf8"), "old\n");
});
