// Workflows with the plugin `probe`, which is one of somebody else that uses the service `things`: it does what it is
// told over MQTT, and takes the commands of a feature of its own.

/** Its folder. */
export const probe = new URL("./probe/", import.meta.url);

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
