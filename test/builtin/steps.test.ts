// host/wait, host/signal and host/fail in workflows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestHost, type TestRun, waitFor } from "gantry/testing";
import hostPlugin from "../../host/builtin/index.ts";
import type { Json, PluginContext } from "../../host/sdk.ts";

async function runOnce(workflow: object, input?: Json): Promise<TestRun> {
  await using host = await startTestHost({ workflows: { test: workflow } });
  return await host.run("test", input);
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
  ] as const) {
    const { error, steps } = await runOnce(failing(retryable));
    assert.deepEqual([error!.code, error!.retryable, steps[0]!.attempts], ["NOT_YET", retryable, attempts]);
  }
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
  await using host = await startTestHost({ workflows });
  const waiting = await host.start("waits");
  await waitFor("the wait", () => host.found(waiting)?.status === "waiting");
  const say = async (name: string) => (await host.run("says", { name })).output;
  assert.equal(await say("nobody waits"), false);
  assert.equal(await say("approved"), true);
  assert.deepEqual((await host.ended(waiting)).output, { by: "Ada" });
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
