// A plugin of somebody else that uses the service `things`: it does what it is told over MQTT, and takes the commands of
// a feature of its own.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const manifest = {
  name: "probe",
  version: "1.0.0",
  host: "^1.0.0",
  main: "index.ts",
  requires: ["things"],
  steps: {
    call: {
      description: "Calls a method of the service.",
      input: {
        type: "object",
        required: ["method"],
        additionalProperties: false,
        properties: { method: { type: "string" }, argument: {} },
      },
      output: { type: "object", properties: { result: {} } },
    },
    fail: {
      description: "Fails with an error that says how a command is to be answered.",
      input: {
        type: "object",
        required: ["status"],
        additionalProperties: false,
        properties: { status: { type: "integer" }, error: { type: "string" } },
      },
    },
  },
  triggers: { late: { description: "Keeps those behind it waiting." } },
  errors: { PROBE_FAILED: { description: "It was told to.", remedy: "Tell it otherwise.", retryable: false } },
};

const code = `
import { definePlugin, PluginError } from "gantry";

export default definePlugin({
  async setup({ services: { things }, log }) {
    await things.identities({}, async (identity) => log.info("probe: identity", { identity }));
    await things.commands(
      {
        feature: "Probe",
        operations: ["repeat", "refuse", "later"],
        schema: { properties: { correlationId: {} } },
        withoutRequestId: "run",
      },
      async ({ operation, value, reply, ...about }) => {
        log.info("probe: command", { operation, value, about });
        if (operation === "later") throw new Error("not now");
        const answer =
          operation === "repeat"
            ? { status: 200, value }
            : { status: 404, error: "probe:nothing.found", message: "there is nothing" };
        await things.answer({ to: reply, ...answer, key: "probe/" + about.requestId });
        await things.answer({ to: reply, ...answer, key: "probe/" + about.requestId });
      },
    );
    return {
      triggers: {
        late: {
          start: async () => {
            await new Promise((resolve) => setTimeout(resolve, 2000));
            return () => {};
          },
        },
      },
      steps: {
        fail: {
          run: async (answer) => {
            throw new PluginError("PROBE_FAILED", "it was told to", { answer });
          },
        },
        call: {
          run: async ({ method, argument }) => {
            try {
              return { result: (await things[method](argument)) ?? null };
            } catch (error) {
              return { result: error.code };
            }
          },
        },
      },
    };
  },
});
`;

/** Writes the plugin to \`probe/\` in the folder. */
export function writeProbe(directory: string): void {
  const folder = join(directory, "probe");
  mkdirSync(folder);
  writeFileSync(join(folder, "plugin.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "index.ts"), code);
}

/** Calls what the message says, and tells what came of it. */
export const call = {
  name: "call",
  on: [{ trigger: "mqtt/message", with: { topic: "call" } }],
  inputs: {
    type: "object",
    required: ["method"],
    properties: { n: { type: "integer" }, method: { type: "string" }, argument: {} },
  },
  steps: [
    { id: "call", uses: "probe/call", with: { method: "${{ inputs.method }}", argument: "${{ inputs.argument }}" } },
    {
      uses: "mqtt/publish",
      with: { topic: "called/${{ inputs.n }}", payload: { result: "${{ steps.call.outputs.result }}" } },
    },
  ],
};

/** Fails with the answer it is told, a while after it was accepted. */
export const fail = {
  name: "fail",
  on: [{ trigger: "things/command", with: { feature: "Failing", operation: "fail", answer: "when-finished" } }],
  steps: [
    {
      if: "${{ inputs.error != null }}",
      uses: "probe/fail",
      with: { status: "${{ inputs.status }}", error: "${{ inputs.error }}" },
    },
    { uses: "probe/fail", with: { status: "${{ inputs.status }}" } },
  ],
};

/** Takes no second command while it is at one. */
export const busy = {
  name: "busy",
  on: [{ trigger: "things/command", with: { feature: "Failing", operation: "busy" } }],
  concurrency: { group: "busy", whenBusy: "reject" },
  steps: [{ uses: "host/wait", with: { duration: "1h" } }],
};

/** Has a fault. */
export const broken = {
  name: "broken",
  on: [{ trigger: "things/command", with: { feature: "Failing", operation: "broken" } }],
  steps: [{ uses: "probe/nothing" }],
};

/** Keeps the triggers of the documents behind it waiting; its file must come first. */
export const late = {
  name: "late",
  on: [{ trigger: "probe/late" }],
  steps: [{ uses: "host/wait", with: { duration: "1ms" } }],
};
