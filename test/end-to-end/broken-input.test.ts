// Whatever arrives, the host answers with a code and a remedy in its log or report, and goes on serving.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startTestHost, type TestHost, waitFor } from "gantry/testing";
import { catalogue } from "../../host/errors.ts";
import { sha256 } from "../support/artifact-server.ts";
import { needs } from "../support/parts.ts";

const skip = needs("mosquitto");
const workflows = fileURLToPath(new URL("../../workflows", import.meta.url));
const script = "echo fine\n";
let host: TestHost;
let artifacts: string;
const server = createServer((request, response) => {
  const name = request.url!.slice(1);
  if (name === "good.sh") response.end(script);
  else if (name === "failing.sh") response.end("echo about to fail; exit 7\n");
  else if (name === "hanging.sh") response.end("sleep 600\n");
  else if (name === "short.sh") {
    response.writeHead(200, { "content-length": 1000 });
    response.write("echo");
    setTimeout(() => response.destroy(), 20);
  } else response.writeHead(404).end();
});

before(async () => {
  if (skip) return;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  artifacts = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  host = await startTestHost({
    plugins: [{ plugin: "mqtt", config: { maxPayloadBytes: 4096 } }, "download", "verify", "script"],
    workflows: { impatient },
    configuration: { workflows: ["./workflows", workflows] },
    broker: "mosquitto",
    process: true,
  });
});

after(async () => {
  if (skip) return;
  await host.stop();
  await host[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

/** The installation without retries, and with little patience for scripts. */
const impatient = {
  name: "impatient",
  on: [{ trigger: "mqtt/message", with: { topic: "impatient" } }],
  inputs: {
    type: "object",
    required: ["id", "url", "sha256"],
    additionalProperties: false,
    properties: { id: { type: "string" }, url: { type: "string" }, sha256: { type: "string" } },
  },
  steps: [
    {
      id: "fetch",
      uses: "download/fetch",
      with: {
        url: "${{ inputs.url }}",
        directory: "${{ run.directory }}",
        filename: "it.sh",
        checksums: { SHA256: "${{ inputs.sha256 }}" },
      },
    },
    {
      id: "install",
      uses: "script/run",
      timeout: "500ms",
      with: { command: ["/bin/sh", "it.sh"], directory: "${{ run.directory }}" },
    },
  ],
};

const refusedMessages: [words: string, payload: string | Buffer, code: string][] = [
  ["a text that is not JSON", "hello", "MQTT_PAYLOAD_INVALID"],
  ["binary data", Buffer.from([0xff, 0xfe, 0x00, 0x01]), "MQTT_PAYLOAD_INVALID"],
  ["JSON cut off", '{"id":', "MQTT_PAYLOAD_INVALID"],
  ["a payload above the limit", `"${"x".repeat(5000)}"`, "MQTT_PAYLOAD_TOO_LARGE"],
  ["a number for a text", '{"id":7,"url":"x","sha256":"x"}', "INPUT_INVALID"],
  ["a list for an object", "[1,2]", "INPUT_INVALID"],
  ["a missing member", '{"id":"a"}', "INPUT_INVALID"],
  ["a member too many", '{"id":"a","url":"x","sha256":"x","more":1}', "INPUT_INVALID"],
  ["members named like JavaScript's own", '{"__proto__":{"id":"a"},"constructor":1}', "INPUT_INVALID"],
  ["nothing at all", "", "INPUT_INVALID"],
];

for (const [words, payload, code] of refusedMessages) {
  test(`${words} gives ${code} in the log, with its remedy, and no run`, { skip }, async () => {
    const before = host.log.length;
    await host.mqtt.publish("impatient", payload);
    const line = await waitFor(`${code}\n${host.logText()}`, () =>
      host.log.slice(before).find((line) => line.code === code),
    );
    assert.equal(typeof line.remedy, "string");
    assert.equal(runNamed("a"), undefined);
    await stillServing();
  });
}

const failingRuns: [words: string, file: string, sum: string, code: string][] = [
  ["a wrong checksum", "good.sh", sha256("something else"), "DOWNLOAD_CHECKSUM_MISMATCH"],
  ["a file that is not there", "missing.sh", sha256(""), "DOWNLOAD_NOT_FOUND"],
  ["a body cut short", "short.sh", sha256(""), "DOWNLOAD_TRUNCATED"],
  ["a script that fails", "failing.sh", sha256("echo about to fail; exit 7\n"), "SCRIPT_FAILED"],
  ["a script that hangs", "hanging.sh", sha256("sleep 600\n"), "STEP_TIMEOUT"],
];

for (const [words, file, sum, code] of failingRuns) {
  test(`${words} fails the run with ${code} and its remedy`, { skip }, async () => {
    const id = file.replace(".", "-");
    await host.mqtt.publish("impatient", { id, url: `${artifacts}/${file}`, sha256: sum });
    const run = await endOf(id);
    assert.equal(run.status, "failed");
    assert.equal(run.error?.code, code);
    assert.ok((run.error?.remedy ?? "").length > 10, "no remedy");
    assert.equal(run.error?.step, code.startsWith("DOWNLOAD") ? "fetch" : "install");
    await stillServing();
  });
}

test("every code of this page that is the host's own is in the catalogue", () => {
  for (const code of ["INPUT_INVALID", "STEP_TIMEOUT"]) assert.ok(Object.hasOwn(catalogue, code));
});

const runNamed = (id: string) => host.runs("impatient").find(({ input }) => (input as { id: string }).id === id);

async function endOf(id: string) {
  const begun = await waitFor(`the run ${id}\n${host.logText()}`, () => runNamed(id));
  return host.ended(begun.id);
}

let served = 0;

/** A good order goes through from end to end. */
async function stillServing(): Promise<void> {
  const id = `good-${++served}`;
  await host.mqtt.publish("impatient", { id, url: `${artifacts}/good.sh`, sha256: sha256(script) });
  assert.equal((await endOf(id)).status, "succeeded");
}
