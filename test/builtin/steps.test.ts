// host/wait, host/signal and host/fail in workflows.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import hostPlugin from "../../host/builtin/index.ts";
import { type Host, startHost } from "../../host/host.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import type { Json, PluginContext } from "../../host/sdk.ts";
import { openStoreForReading } from "../../host/store/open.ts";
import type { Run } from "../../host/store/store.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, makeHostFolder } from "../support/host-process.ts";

/** A host with these workflows. */
async function withHost<Result>(
  workflows: Record<string, object>,
  work: (host: Host, start: (name: string, input?: Json) => Promise<string>, folder: HostFolder) => Promise<Result>,
): Promise<Result> {
  const root = await mkdtemp(join(tmpdir(), "gantry-steps-"));
  const named = Object.fromEntries(Object.entries(workflows).map(([name, rest]) => [name, { name, ...rest }]));
  const folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins: [] }, named);
  const documents = readHost(folder.config);
  assert.deepEqual(documents.faults, []);
  const host = await startHost({ documents, dataDirectory: folder.data, log: createLog({ level: "silent" }) });
  const start = async (name: string, input: Json = {}) => {
    const workflow = documents.workflows.find((one) => one.name === name)!;
    return (await host.engine.accept(workflow, { input })).runId;
  };
  try {
    return await work(host, start, folder);
  } finally {
    await host.stop();
    await rm(root, { recursive: true });
  }
}

const runOnce = (workflow: object, input?: Json): Promise<Run> =>
  withHost({ test: workflow }, async (host, start) => host.engine.waitFor(await start("test", input)));

async function recordKinds(folder: HostFolder, runId: string): Promise<string[]> {
  const reading = openStoreForReading(folder.data);
  const kinds = reading.runs.journal(runId).map(({ kind }) => kind);
  await reading.close();
  return kinds;
}

test("host/fail turns a result into a failure that onFailure reads", async () => {
  const { status, error, output } = await runOnce(
    {
      inputs: { type: "object", properties: { free: { type: "integer" } } },
      steps: [
        {
          id: "check",
          uses: "host/fail",
          with: {
            code: "DISK_FULL",
            message: "only ${{ inputs.free }} bytes are left",
            details: { free: "${{ inputs.free }}" },
          },
        },
      ],
      onFailure: [{ if: "${{ error.code != 'DISK_FULL' }}", uses: "host/fail", with: { code: "X", message: "x" } }],
    },
    { free: 17 },
  );
  assert.deepEqual([status, output], ["failed", null]);
  assert.deepEqual(error, {
    code: "DISK_FULL",
    message: "only 17 bytes are left",
    retryable: false,
    details: { free: 17 },
    step: "check",
  });
});

test("a retry tries host/fail again only where it says so", async () => {
  const failing = (retryable: boolean) => ({
    steps: [
      {
        uses: "host/fail",
        with: { code: "NOT_YET", message: "not yet", retryable },
        retry: { retries: 2, delay: "1ms" },
      },
    ],
  });
  for (const [retryable, attempts] of [
    [true, 3],
    [false, 1],
  ] as const)
    await withHost({ test: failing(retryable) }, async ({ engine }, start, folder) => {
      const { id, error } = await engine.waitFor(await start("test"));
      assert.deepEqual([error!.code, error!.retryable], ["NOT_YET", retryable]);
      assert.equal((await recordKinds(folder, id)).filter((kind) => kind === "running").length, attempts);
    });
});

test("host/signal hands its value to who waits, and says whether anybody took it", async () => {
  const workflows = {
    waits: {
      steps: [{ id: "wait", uses: "host/wait", with: { for: "approved" } }],
      outputs: "${{ steps.wait.outputs.value }}",
    },
    says: {
      inputs: { type: "object", properties: { name: { type: "string" } } },
      steps: [{ id: "signal", uses: "host/signal", with: { name: "${{ inputs.name }}", value: { by: "Ada" } } }],
      outputs: "${{ steps.signal.outputs.received }}",
    },
  };
  await withHost(workflows, async ({ engine }, start, folder) => {
    const waiting = await start("waits");
    await waitFor("the wait", async () => (await recordKinds(folder, waiting)).includes("waiting"));
    const say = async (name: string) => (await engine.waitFor(await start("says", { name }))).output;
    assert.equal(await say("nobody waits"), false);
    assert.equal(await say("approved"), true);
    assert.deepEqual((await engine.waitFor(waiting)).output, { by: "Ada" });
  });
});

test("a wait that follows its signal within a minute takes it with its value", async () => {
  const { output } = await runOnce({
    steps: [
      { uses: "host/signal", with: { name: "early", value: [1, 2] } },
      { id: "wait", uses: "host/wait", with: { for: "early" } },
    ],
    outputs: "${{ steps.wait.outputs.value }}",
  });
  assert.deepEqual(output, [1, 2]);
});

test("host/wait is the engine's: the plugin's own code for it is never called", async () => {
  const { status } = await runOnce({ steps: [{ uses: "host/wait", with: { duration: "10ms" } }] });
  assert.equal(status, "succeeded");
  const { steps } = await hostPlugin.setup({ config: {} } as PluginContext);
  await assert.rejects(steps!.wait!.run({ duration: "10ms" }, {} as never), { code: "PLUGIN_CONTRACT_BROKEN" });
});
