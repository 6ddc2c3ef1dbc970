// Workflows that call workflows, as a folder of documents is read.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type HostDocuments, readHost } from "../../host/loading/read-host.ts";
import { makeHostFolder } from "./host-folder.ts";

function read(t: TestContext, workflows: Record<string, object>): HostDocuments {
  const files = Object.entries(workflows).map(([name, document]) => [`workflows/${name}.json`, { name, ...document }]);
  const folder = makeHostFolder(t, {
    "plugins.json": { workflows: ["./workflows"], plugins: [{ plugin: "mqtt", config: { port: 0 } }] },
    ...Object.fromEntries(files),
  });
  return readHost(folder.configurationFile);
}

const on = [{ trigger: "mqtt/message", with: { topic: "t" } }];
const calls = (name: string, more: object = {}) => ({ uses: `workflow:${name}`, ...more });
const told = ({ faults }: HostDocuments) =>
  faults.map(({ code, pointer, suggestion }) => ({
    code,
    pointer,
    ...(suggestion === undefined ? {} : { suggestion }),
  }));

test("a workflow gets all it calls, directly and through others, with the outputs they declare", (t) => {
  const documents = read(t, {
    outer: {
      on,
      steps: [
        { id: "a", ...calls("middle", { with: { n: 1 } }) },
        { forEach: [1], steps: [calls("inner")] },
      ],
      outputs: { n: "${{ steps.a.outputs.n }}" },
    },
    middle: {
      inputs: { type: "object", required: ["n"], properties: { n: { type: "integer" } }, additionalProperties: false },
      steps: [{ parallel: [[calls("inner")], []] }],
      outputs: { n: "${{ inputs.n }}" },
    },
    inner: { on: [], steps: [] },
  });
  assert.deepEqual(told(documents), []);
  const outer = documents.workflows.find(({ name }) => name === "outer")!;
  assert.deepEqual([...outer.calls.keys()].sort(), ["inner", "middle"]);
});

test("what is called must be there, take what it is given, give what is read, and have no triggers", (t) => {
  const documents = read(t, {
    a: { on, steps: [calls("inne")] },
    b: { on, steps: [{ id: "x", ...calls("inner", { with: { m: 1 } }) }], outputs: { o: "${{ steps.x.outputs.no }}" } },
    c: { on, steps: [calls("a")] },
    inner: {
      inputs: { type: "object", properties: { n: { type: "integer" } }, additionalProperties: false },
      steps: [],
      outputs: { yes: 1 },
    },
  });
  assert.deepEqual(told(documents), [
    { code: "WORKFLOW_NOT_FOUND", pointer: "/steps/0/uses", suggestion: "workflow:inner" },
    { code: "KEY_UNKNOWN", pointer: "/steps/0/with/m", suggestion: "n" },
    { code: "REFERENCE_UNKNOWN", pointer: "/outputs/o" },
    { code: "WORKFLOW_NOT_CALLABLE", pointer: "/steps/0/uses" },
  ]);
});

test("a circle is told once, and nothing in it is active", (t) => {
  const documents = read(t, {
    a: { steps: [calls("b")] },
    b: { steps: [{ steps: [calls("a")] }] },
    c: { steps: [calls("c")] },
  });
  assert.deepEqual(told(documents), [
    { code: "WORKFLOW_CIRCLE", pointer: "/name" },
    { code: "WORKFLOW_CIRCLE", pointer: "/name" },
  ]);
  assert.match(documents.faults[0]!.message, /a → b → a/);
  assert.deepEqual([...documents.callable.keys()], []);
});

test("a workflow that calls a broken one is not active, and its messages are refused for that reason", (t) => {
  const documents = read(t, { outer: { on, steps: [calls("inner")] }, inner: { steps: [{ uses: "no/such" }] } });
  assert.deepEqual(told(documents), [{ code: "STEP_NOT_FOUND", pointer: "/steps/0/uses" }]);
  assert.deepEqual(documents.workflows, []);
  assert.deepEqual(
    documents.brokenWorkflows.map(({ name, faults }) => ({ name, faults })),
    [{ name: "outer", faults: ["the workflow inner, which it calls, has faults"] }],
  );
});

test("what accompanies a step sees what it may, and stands where it has an effect", (t) => {
  const publish = (payload: unknown) => ({ uses: "mqtt/publish", with: { topic: "t", payload } });
  const documents = read(t, {
    good: {
      on,
      steps: [
        { id: "a", ...publish(1), undo: publish("${{ error.code }} ${{ steps.a.status }}") },
        { ...publish(1), onProgress: publish("${{ progress.percent }} ${{ steps.a.status }}") },
        {
          abortOn: "stop ${{ inputs.id }}",
          parallel: [[{ id: "l", ...publish(1) }], [publish(1)]],
          outputs: { o: "${{ steps.l.status }}" },
        },
        { uses: "host/wait", with: { for: "x" }, timeout: "5s" },
      ],
    },
    bad: {
      on,
      steps: [
        { ...publish(1), undo: publish("${{ progress.percent }}") },
        { ...publish(1), onProgress: publish("${{ error.code }}") },
        { parallel: [[{ id: "l", ...publish(1) }], [publish("${{ steps.l.status }}")]] },
        { uses: "host/wait", with: { for: "x" }, retry: { retries: 1 } },
        { ...calls("sub"), timeout: "5s" },
        { steps: [], undo: publish(1) },
        { ...publish(1), undo: { uses: "workflow:sub" } },
      ],
      onFailure: [{ ...publish(1), undo: publish(2) }],
      requires: { host: "newest" },
    },
    sub: { steps: [] },
  });
  assert.deepEqual(
    documents.faults
      .filter(({ severity }) => severity === "fault")
      .map(({ code, pointer }) => `${code} ${pointer}`)
      .sort(),
    [
      "EXPRESSION_UNKNOWN_CONTEXT /steps/0/undo/with/payload",
      "EXPRESSION_UNKNOWN_CONTEXT /steps/1/onProgress/with/payload",
      "REFERENCE_UNKNOWN /steps/2/parallel/1/0/with/payload",
      "STEP_FORM /onFailure/0/undo",
      "STEP_FORM /steps/3/retry",
      "STEP_FORM /steps/4/timeout",
      "STEP_FORM /steps/5/undo",
      "STEP_FORM /steps/6/undo/uses",
      "VALUE_WRONG /requires/host",
    ],
    JSON.stringify(documents.faults, null, 1),
  );
});
