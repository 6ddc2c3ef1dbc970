// `{"$secret": NAME}`: where a document may name a secret, and what is said where it may not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { JsonObject } from "../../host/sdk.ts";
import { catalogueOfPlugins } from "./catalogue.ts";
import { checkText } from "./check-file.ts";

const token = { $secret: "TOKEN" };
const http = (input: JsonObject) => ({
  uses: "upload-http/put",
  with: { path: "/a", url: "https://a.example/", ...input },
});
const withSteps = (...steps: object[]) => ({ name: "w", steps });

function faults(document: object, schemas: Record<string, JsonObject> = {}) {
  const catalogue = catalogueOfPlugins();
  const steps = new Map(catalogue.steps);
  for (const [address, input] of Object.entries(schemas))
    steps.set(address, { plugin: "t", active: true, trusted: true, description: "", input, output: undefined });
  return checkText(JSON.stringify(document), "workflow", { catalogue: { ...catalogue, steps } });
}
const codes = (...given: Parameters<typeof faults>) =>
  faults(...given).map(({ code, pointer }) => `${code} ${pointer}`);

test("a secret may be named wherever the schema of a step marks one", () => {
  const azure = { path: "/a", endpoint: "https://a.example/", container: "c", name: "n", sharedAccessSignature: token };
  const s3 = { path: "/a", bucket: "b", key: "k", region: "r", accessKeyId: token, secretAccessKey: token };
  const document = withSteps(
    { uses: "upload-azure/put", with: azure },
    { uses: "upload-s3/put", with: { ...s3, sessionToken: token } },
    http({ headers: { authorization: token, "x-site": "${{ run.id }}" } }),
    http({ url: token }),
    { ...http({}), undo: http({ headers: { authorization: token } }) },
    { steps: [http({})], onFailure: [http({ url: token })] },
  );
  assert.deepEqual(faults(document), []);
});

test("the examples of the providers' READMEs have no fault", () => {
  for (const plugin of ["upload-http", "upload-s3", "upload-azure"]) {
    const readme = readFileSync(new URL(`../../plugins/${plugin}/README.md`, import.meta.url), "utf8");
    const steps = [...readme.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text]) => JSON.parse(text!) as object);
    assert.match(JSON.stringify(steps), /\$secret/);
    assert.deepEqual(faults(withSteps(...steps)), []);
  }
});

test("what a secret's value must be like shows when it is read", () => {
  const secret = { type: "string", writeOnly: true, pattern: "^[a-f0-9]{64}$", minLength: 64 };
  const anyOf = [{ type: "string", writeOnly: true, pattern: "^x" }, { type: "integer" }];
  const input = {
    type: "object",
    properties: { key: secret, either: { anyOf }, ofTwo: { enum: ["a", "b"], writeOnly: true } },
  };
  const given = { key: token, either: token, ofTwo: token };
  assert.deepEqual(faults(withSteps({ uses: "t/take", with: given }), { "t/take": input }), []);
});

test("all that lies in something that is secret is so, too: members, items, by pattern, and by a condition", () => {
  const input = {
    type: "object",
    additionalProperties: false,
    properties: {
      whole: { type: "object", writeOnly: true, additionalProperties: { type: "string" } },
      list: { type: "array", items: { type: "string", writeOnly: true } },
      some: {
        type: "object",
        patternProperties: { key$: { writeOnly: true } },
        additionalProperties: { type: "string" },
      },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      kind: { type: "object", if: { required: ["secret"] }, then: { properties: { value: { writeOnly: true } } } },
    },
  };
  const check = (given: JsonObject) => codes(withSteps({ uses: "t/take", with: given }), { "t/take": input });
  assert.deepEqual(check({ whole: { a: token }, list: ["a", token], some: { "a-key": token } }), []);
  assert.deepEqual(check({ kind: { secret: true, value: token } }), []);
  assert.deepEqual(check({ kind: { value: token } }), ["SECRET_NOT_TAKEN /steps/0/with/kind/value"]);
  assert.deepEqual(check({ some: { plain: token } }), ["SECRET_NOT_TAKEN /steps/0/with/some/plain"]);
});

test("elsewhere it is one fault, which names the inputs that may be secret", () => {
  const [fault, ...others] = faults(withSteps(http({ checksum: token, headers: { authorization: token } })));
  assert.deepEqual([fault!.code, fault!.pointer, others], ["SECRET_NOT_TAKEN", "/steps/0/with/checksum", []]);
  assert.match(fault!.message, /`checksum` is no secret: .*`url` or `headers` may be/);
  const publish = { uses: "mqtt/publish", with: { topic: "a", payload: { password: token } } };
  const [open] = faults(withSteps(publish));
  assert.deepEqual([open!.code, open!.pointer], ["SECRET_NOT_TAKEN", "/steps/0/with/payload/password"]);
  assert.match(open!.message, /none of this step's inputs is/);
  assert.deepEqual(codes(withSteps(http({ headers: token, caCert: "${{ inputs.ca }}" }))), [
    "SECRET_NOT_TAKEN /steps/0/with/headers",
  ]);
});

test("a secret is a text: where something else must stand, that is said once", () => {
  const input = { type: "object", properties: { keys: { type: "array", writeOnly: true, items: { type: "string" } } } };
  const found = faults(withSteps({ uses: "t/take", with: { keys: token } }), { "t/take": input });
  assert.deepEqual([found.length, found[0]!.code, found[0]!.pointer], [1, "VALUE_WRONG", "/steps/0/with/keys"]);
  assert.match(found[0]!.message, /must be a list, and a secret is a text/);
});

test("no secret is named in `vars`, in a trigger's settings, or where a workflow is called", () => {
  const inputs = { type: "object", properties: { password: { type: "string", writeOnly: true } } };
  const document = {
    name: "w",
    on: [{ trigger: "mqtt/message", with: { topic: token } }],
    inputs,
    vars: { token },
    steps: [{ uses: "workflow:called", with: { password: token } }],
  };
  const workflows = new Map([
    [
      "called",
      { file: "c.json", hasTriggers: false, inputs, outputs: undefined, calls: [], signals: { sent: [], awaited: [] } },
    ],
  ]);
  const found = checkText(JSON.stringify(document), "workflow", { catalogue: { ...catalogueOfPlugins(), workflows } });
  assert.deepEqual(
    found.map(({ code, pointer }) => `${code} ${pointer}`),
    ["SECRET_NOT_TAKEN /on/0/with/topic", "SECRET_NOT_TAKEN /vars/token", "SECRET_NOT_TAKEN /steps/0/with/password"],
  );
});

test("a name with a blank or a path in it, or one that is computed, names no secret", () => {
  for (const name of ["../x", "a b", "", "${{ run.id }}", 7]) {
    const [fault, ...others] = faults(withSteps(http({ headers: { authorization: { $secret: name } } })));
    assert.deepEqual([fault!.code, fault!.pointer, others], ["VALUE_WRONG", "/steps/0/with/headers/authorization", []]);
    assert.match(fault!.message, /must be a text, or `\{"\$secret": NAME\}` with a name of letters, digits/);
  }
});
