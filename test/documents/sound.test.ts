import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkManifest } from "../../host/documents/check-manifest.ts";
import { readDocument } from "../../host/documents/document.ts";
import { catalogueOfPlugins } from "./catalogue.ts";
import { checkFile, checkText } from "./check-file.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

for (const name of globSync(["workflows/**/*.json", "test/fixtures/sound/**/*.json"], { cwd: root }).sort())
  test(`${name} has no fault`, () => {
    assert.deepEqual(checkFile(`${root}${name}`, "workflow"), []);
  });

for (const name of globSync("plugins/*/plugin.json", { cwd: root }).sort())
  test(`${name} has no fault`, () => {
    const { document, faults } = readDocument(`${root}${name}`);
    assert.deepEqual([...faults, ...checkManifest(document!)], []);
  });

test("plugins.json has no fault", () => {
  assert.deepEqual(checkFile(`${root}plugins.json`, "configuration"), []);
});

test("the examples in docs/workflows.md have no fault", () => {
  const examples = readFileSync(`${root}docs/workflows.md`, "utf8").matchAll(/```json\n([\s\S]*?)```/g);
  const faults = [...examples].map(([, text]) => checkText(text!));
  assert.ok(faults.length > 5);
  assert.deepEqual(faults.flat(), []);
});

test("a plugin that is not enabled is a fault at each use in a file that was named, and one note in a folder", () => {
  const workflow = {
    name: "idle",
    steps: [
      { id: "a", uses: "verify/checksum", with: { path: "/a", checksums: { SHA256: "00" } } },
      { uses: "verify/checksum", with: { path: "/b", checksums: { SHA256: "00" } } },
    ],
    outputs: { a: "${{ steps.a.outputs.digests.SHA256 }}" },
  };
  const idle = catalogueOfPlugins({ idle: ["verify"] });
  const listed = (named: boolean) =>
    checkText(JSON.stringify(workflow), "workflow", { catalogue: idle, named }).map(
      ({ code, pointer, severity }) => `${severity} ${code} ${pointer}`,
    );
  assert.deepEqual(listed(true), ["fault PLUGIN_NOT_ENABLED /steps/0/uses", "fault PLUGIN_NOT_ENABLED /steps/1/uses"]);
  assert.deepEqual(listed(false), ["note PLUGIN_NOT_ENABLED /steps/0/uses"]);
});

test("names from Object.prototype are names like any other", () => {
  const workflow = `{
    "name": "constructor",
    "inputs": { "type": "object", "additionalProperties": false, "properties": { "toString": {}, "__proto__": {} } },
    "vars": { "constructor": "\${{ inputs.toString }}", "__proto__": "\${{ inputs.__proto__ }}" },
    "steps": [
      { "id": "hasOwnProperty", "uses": "mqtt/publish", "with": { "topic": "a", "payload": { "__proto__": "\${{ vars.__proto__ }}" } } },
      { "forEach": [1], "as": "valueOf", "steps": [{ "uses": "mqtt/publish", "with": { "topic": "a", "payload": "\${{ valueOf }}" } }] }
    ],
    "outputs": { "a": "\${{ steps.hasOwnProperty.status }}", "__proto__": "\${{ vars.constructor }}" }
  }`;
  assert.deepEqual(checkText(workflow), []);
});

test("names from Object.prototype that nobody declared are unknown, and unknown keys", () => {
  const workflow = {
    name: "none",
    inputs: { type: "object", additionalProperties: false, properties: {} },
    vars: { a: "${{ inputs.constructor }}", b: "${{ toString }}", c: "${{ hasOwnProperty('a') }}" },
    steps: [
      { uses: "constructor", with: { valueOf: 1 } },
      { uses: "mqtt/publish", with: { topic: "a", payload: 1, valueOf: 1 } },
    ],
    outputs: { a: "${{ steps.toString.outputs }}" },
  };
  assert.deepEqual(
    checkText(JSON.stringify(workflow, undefined, 2)).map(({ code, pointer }) => `${code} ${pointer}`),
    [
      "REFERENCE_UNKNOWN /vars/a",
      "EXPRESSION_UNKNOWN_CONTEXT /vars/b",
      "EXPRESSION_UNKNOWN_FUNCTION /vars/c",
      "STEP_NOT_FOUND /steps/0/uses",
      "KEY_UNKNOWN /steps/1/with/valueOf",
      "REFERENCE_UNKNOWN /outputs/a",
    ],
  );
});

test("the outputs of a step that may have been skipped are noted where nothing is said for that case", () => {
  const publish = (payload: string, more: object = {}) => ({
    uses: "mqtt/publish",
    with: { topic: "a", payload },
    ...more,
  });
  const found = "${{ inputs.find == 'yes' }}";
  const run = { uses: "script/run", with: { command: ["ls"], directory: "/tmp" } };
  const workflow = {
    name: "skipped",
    steps: [
      { id: "maybe", if: found, ...run },
      { id: "sure", if: true, ...run },
      publish("${{ steps.maybe.outputs.output }}"),
      publish("${{ default(steps.maybe.outputs.output, 'none') }} ${{ steps.maybe.status }}"),
      publish("${{ steps.maybe.outputs.exitCode == 0 || !steps.maybe.outputs.exitCode }}"),
      publish("${{ steps.maybe.outputs.output }}", { if: found }),
      { if: "${{ steps.maybe.status == 'succeeded' }}", steps: [publish("${{ steps.maybe.outputs.output }}")] },
      { if: "${{ steps.maybe-not.status == 'succeeded' }}", steps: [] },
      publish("${{ steps.sure.outputs.output }}", { if: "${{ steps.maybe.outputs }}" }),
    ],
    outputs: { length: "${{ length(steps.maybe.outputs.output) }}" },
  };
  const notes = checkText(JSON.stringify(workflow)).filter(({ severity }) => severity === "note");
  assert.deepEqual(
    notes.map(({ code, pointer }) => `${code} ${pointer}`),
    ["STEP_MAY_BE_SKIPPED /steps/2/with/payload", "STEP_MAY_BE_SKIPPED /outputs/length"],
  );
});
