// Workflows of the tests: a feature `Lamp` with several operations, and the exact texts they give.

export const definition = ["org.example:Lamp:1.0.0"];

const on = (operation: string, more: object = {}) => [
  { trigger: "things/command", with: { feature: "Lamp", operation, ...more } },
];

const report = (value: unknown, path = "status/colour") => ({
  uses: "things/report",
  with: { feature: "Lamp", path, value },
});

/** Announces the feature, and reports what it was told. */
export const light = {
  name: "light",
  on: on("light", { definition, properties: { status: { colour: null, level: 0 } } }),
  inputs: {
    type: "object",
    required: ["colour"],
    properties: {
      correlationId: { type: "string" },
      colour: { type: "string" },
      levels: { type: "array", items: { type: "object", properties: { softLevel: { type: "integer" } } } },
      options: { type: "object", additionalProperties: { type: "string" } },
    },
  },
  steps: [report("${{ inputs.colour }}")],
};

/** Reports its whole input. */
export const echo = {
  name: "echo",
  on: on("echo"),
  inputs: light.inputs,
  steps: [report("${{ inputs }}", "echo")],
};

/** Without a schema: takes any value, and executes also what has no request id. */
export const anything = {
  name: "anything",
  on: on("anything", { withoutRequestId: "run", withoutHeaders: "run" }),
  steps: [report("${{ inputs }}", "anything")],
};

/** Answers with what it came to, or fails as it is told. */
export const finish = {
  name: "finish",
  on: on("finish", { answer: "when-finished", contentType: "always", responseRequired: false }),
  inputs: { type: "object", properties: { fail: { type: "boolean", default: false } } },
  steps: [
    report("busy"),
    { if: "${{ inputs.fail }}", uses: "host/fail", with: { code: "LAMP_BROKEN", message: "the bulb is broken" } },
  ],
  outputs: { hours: 7 },
};

/** As file upload answers: after the work, never with a value. */
export const silentFinish = {
  name: "silent-finish",
  on: on("upload", { answer: "when-finished", answerOutput: false, contentType: "always", responseRequired: false }),
  steps: [report("done")],
  outputs: { hours: 7 },
};

/** Answers after its first step, and goes on. */
export const after = {
  name: "after",
  on: on("after", { answer: { after: "first" } }),
  inputs: { type: "object", properties: { fail: { type: "boolean", default: false } } },
  steps: [
    { if: "${{ inputs.fail }}", uses: "host/fail", with: { code: "LAMP_BROKEN", message: "not even the first step" } },
    { id: "first", uses: "script/run", with: { command: ["printf", "first"], directory: "${{ run.directory }}" } },
    report("second"),
  ],
};

/** With the refusals of container management, for a thing of its own. */
export const other = {
  name: "other",
  on: [
    {
      trigger: "things/command",
      with: {
        thing: "{deviceId}:edge:containers",
        feature: "ContainerFactory",
        operation: "create",
        answer: "when-finished",
        definition: ["com.bosch.iot.suite.edge.containers:ContainerFactory:1.3.0"],
        responseRequired: false,
        checkHeaders: true,
        unknownOperation: {
          status: 404,
          error: "messages:subject.notfound",
          message: "unsupported operation {operation}",
        },
        unknownFeature: { status: 400, error: "messages:parameter.invalid", message: "feature [{feature}] not found " },
      },
    },
  ],
  steps: [
    {
      uses: "things/report",
      with: { thing: "{deviceId}:edge:containers", feature: "ContainerFactory", path: "last", value: "${{ inputs }}" },
    },
  ],
  outputs: "${{ 'an-id' }}",
};

/** Refuses as file upload does. */
export const strict = {
  name: "strict",
  on: [
    {
      trigger: "things/command",
      with: {
        feature: "Strict",
        operation: "trigger",
        invalidInput: "invalid '{operation}' operation parameters: {payload}",
        unknownOperation: {
          status: 400,
          error: "messages:execution.failed",
          message: "Unsupported operation: {operation}",
        },
        contentType: "always",
        responseRequired: false,
      },
    },
  ],
  inputs: { type: "object", properties: { correlationId: { type: "string" } } },
  steps: [{ uses: "things/report", with: { feature: "Strict", path: "seen", value: true } }],
};

export const all = { light, echo, anything, finish, silentFinish, after, other, strict };

const modify = (path: string, value: unknown, thing = "org.example/gateway-1") =>
  `{"topic":"${thing}/things/twin/commands/modify","headers":{"response-required":false},` +
  `"path":"${path}"${value === undefined ? "" : `,"value":${JSON.stringify(value)}`}}`;

export const announced = (properties: unknown = { status: { colour: null, level: 0 } }) =>
  modify("/features/Lamp", { definition, properties });

export const reported = (value: unknown, path = "status/colour") => modify(`/features/Lamp/properties/${path}`, value);

export const modified = modify;

/** An answer as software update gives it. */
export const answered = (operation: string, correlationId = "c1", feature = "Lamp") =>
  `{"topic":"org.example/gateway-1/things/live/messages/${operation}",` +
  `"headers":{"correlation-id":"${correlationId}","response-required":false},` +
  `"path":"/features/${feature}/outbox/messages/${operation}","status":204}`;

/**
 * Reports each of the levels, in its time: after the file `gate` is there (if one is named), and makes the file `done`.
 * Those in `passing` are reported as intermediate ones before.
 */
export const count = {
  name: "count",
  on: on("count", { definition, properties: { status: { colour: null, level: 0 } } }),
  inputs: {
    type: "object",
    required: ["levels"],
    properties: {
      passing: { type: "array", items: { type: "integer" }, default: [] },
      levels: { type: "array", items: { type: "integer" } },
      gate: { type: "string", default: "/" },
      done: { type: "string", default: "/dev/null" },
    },
  },
  steps: [
    {
      uses: "script/run",
      with: {
        command: ["sh", "-c", 'while ! [ -e "$0" ]; do sleep 0.02; done', "${{ inputs.gate }}"],
        directory: "${{ run.directory }}",
      },
    },
    {
      forEach: "${{ inputs.passing }}",
      as: "level",
      steps: [
        {
          uses: "things/report",
          with: { feature: "Lamp", path: "status/level", value: "${{ level }}", intermediate: true },
        },
      ],
    },
    {
      forEach: "${{ inputs.levels }}",
      as: "level",
      steps: [report("${{ level }}", "status/level")],
    },
    {
      uses: "script/run",
      with: { command: ["sh", "-c", ': > "$0"', "${{ inputs.done }}"], directory: "${{ run.directory }}" },
    },
  ],
};
