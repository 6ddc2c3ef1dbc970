// Secrets in a run's input: set aside wherever a schema may mark them, and put back for the step that takes them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { checkInput } from "../../host/engine/input-checks.ts";
import { isRunSecret, putSecretsIn, setSecretsAside } from "../../host/engine/run-secrets.ts";
import type { Json, JsonObject } from "../../host/sdk.ts";

interface Sample {
  schema: JsonObject;
  value: Json;
}

// ---- random schemas, each with a value that matches it; what is secret has "secret" in its text, and nothing else has

const secretText = fc.nat().map((n) => `secret-${n}`);
const plain: fc.Arbitrary<Sample> = fc.oneof(
  fc.nat().map((n) => ({ schema: { type: "integer" }, value: n })),
  fc.nat().map((n) => ({ schema: { type: "string" }, value: `open-${n}` })),
  fc.constant<Sample>({ schema: true as unknown as JsonObject, value: null }),
);

const conditionally = (schema: JsonObject): JsonObject => {
  const parts: [string, Json][] = [true, schema].map((part, index) => [["if", "then"][index]!, part]);
  return Object.fromEntries(parts);
};

/** The ways in which a schema can say that a value is secret. */
const secretWays: ((schema: JsonObject) => JsonObject)[] = [
  (schema) => ({ ...schema, writeOnly: true }),
  (schema) => ({ ...schema, allOf: [{ writeOnly: true }] }),
  (schema) => ({ allOf: [schema, { anyOf: [{ writeOnly: true }] }] }),
  () => ({ $ref: "#/$defs/secret" }),
  () => ({ $ref: "#/$defs/alias" }),
  () => ({ $ref: "#secret" }),
  (schema) => ({ ...schema, ...conditionally({ writeOnly: true }) }),
];
const $defs = {
  secret: { $anchor: "secret", writeOnly: true, description: "a password" },
  alias: { $ref: "#/$defs/secret" },
};

const secret: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.constantFrom(...secretWays),
    fc.oneof(
      secretText.map((value) => ({ schema: { type: "string" }, value: value as Json })),
      secretText.map((value) => ({ schema: { type: "object" }, value: { deep: [value] } as Json })),
      secretText.map((value) => ({ schema: { type: "array" }, value: [value, { value }] as Json })),
      fc.constantFrom<Json>(null, false, 0, "").map((value) => ({ schema: {}, value })),
    ),
  )
  .map(([way, { schema, value }]) => ({ schema: way(schema as JsonObject), value }));

/** The places at which a schema can speak of what lies inside a value. */
const wrappers: ((inner: Sample) => Sample)[] = [
  ({ schema, value }) => ({ schema: { type: "object", properties: { in: schema } }, value: { in: value } }),
  ({ schema, value }) => ({ schema: { patternProperties: { "^x-": schema } }, value: { "x-1": value, other: 1 } }),
  ({ schema, value }) => ({
    schema: { properties: { n: {} }, additionalProperties: schema },
    value: { n: 1, a: value },
  }),
  ({ schema, value }) => ({ schema: { unevaluatedProperties: schema }, value: { a: value } }),
  ({ schema, value }) => ({ schema: { type: "array", items: schema }, value: [value, value] }),
  ({ schema, value }) => ({ schema: { prefixItems: [true, schema] }, value: [1, value] }),
  ({ schema, value }) => ({ schema: { prefixItems: [true], items: schema }, value: [1, value] }),
  ({ schema, value }) => ({ schema: { contains: schema }, value: [value] }),
  ({ schema, value }) => ({ schema: { unevaluatedItems: schema }, value: [value] }),
  ({ schema, value }) => ({
    schema: { dependentSchemas: { on: { properties: { in: schema } } } },
    value: { on: true, in: value },
  }),
  ({ schema, value }) => ({ schema: { oneOf: [{ properties: { in: schema } }] }, value: { in: value } }),
  ({ schema, value }) => ({
    schema: conditionally({ properties: { in: schema } }),
    value: { in: value },
  }),
  ({ schema, value }) => ({
    schema: { properties: JSON.parse(`{"__proto__":${JSON.stringify(schema)}}`) },
    value: JSON.parse(`{"__proto__":${JSON.stringify(value)}}`),
  }),
];
const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    plain,
    secret,
    fc.tuple(fc.constantFrom(...wrappers), tie("sample")).map(([wrap, inner]) => wrap(inner)),
    fc.tuple(tie("sample"), tie("sample")).map(([one, other]) => ({
      schema: { type: "object", properties: { one: one.schema, other: other.schema } },
      value: { one: one.value, other: other.value },
    })),
  ),
}));

const inputs = sample.map(({ schema, value }) => ({
  schema: { type: "object", $defs, properties: { top: schema } } as JsonObject,
  value: { top: value } as Json,
}));

test("wherever a schema marks a secret, nothing of it stays in the input, and everything comes back", () => {
  fc.assert(
    fc.property(inputs, ({ schema, value }) => {
      checkInput("test", schema, structuredClone(value));
      const input = structuredClone(value);
      const secrets = setSecretsAside(schema, input);
      assert.doesNotMatch(JSON.stringify(input), /secret-\d/);
      // What is not secret stands as it stood.
      assert.doesNotMatch(JSON.stringify(secrets), /open-\d/);
      assert.deepEqual(
        putSecretsIn(input, (name) => secrets[name]),
        value,
      );
      // It still matches its schema, as the input of a workflow that is called with it.
      checkInput("test", schema, structuredClone(input));
    }),
    { numRuns: 500 },
  );
});

describe("a schema that refers to itself", () => {
  const schema: JsonObject = {
    type: "object",
    properties: { password: { type: "string", writeOnly: true }, next: { $ref: "#" } },
  };

  test("marks the secrets of a value as deep as it goes", () => {
    let input: JsonObject = {};
    for (let depth = 0; depth < 200; depth++) input = { password: `secret-${depth}`, next: input };
    const secrets = setSecretsAside(schema, input);
    assert.doesNotMatch(JSON.stringify(input), /secret-\d/);
    assert.equal(Object.keys(secrets).length, 200);
  });
});

test("an input that is secret as a whole is set aside member by member", () => {
  const input: JsonObject = { user: "secret-1", key: ["secret-2"] };
  const secrets = setSecretsAside({ type: "object", writeOnly: true }, input);
  assert.ok(isRunSecret(input.user) && isRunSecret(input.key));
  assert.deepEqual(Object.values(secrets), ["secret-1", ["secret-2"]]);
});

// As text: an object with a member called `then` looks like a promise.
const parsed = (text: string) => JSON.parse(text) as JsonObject;

test("a condition decides whether a value is secret", () => {
  const url = parsed('{ "if": { "pattern": "[?@]" }, "then": { "writeOnly": true }, "else": { "maxLength": 99 } }');
  const schema: JsonObject = { type: "object", properties: { url } };
  const open: JsonObject = { url: "http://files.example/a" };
  assert.deepEqual(setSecretsAside(schema, open), {});
  assert.deepEqual(open, { url: "http://files.example/a" });
  const closed: JsonObject = { url: "http://me:secret-1@files.example/a" };
  assert.deepEqual(Object.values(setSecretsAside(schema, closed)), ["http://me:secret-1@files.example/a"]);
  assert.ok(isRunSecret(closed.url));
});

test("where a condition cannot be judged by itself, both of its branches count", () => {
  const secretMember = (name: string) => `{ "properties": { "${name}": { "writeOnly": true } } }`;
  for (const condition of ['{ "$ref": "#/$defs/some" }', '{ "pattern": "(" }']) {
    const branches = `"then": ${secretMember("a")}, "else": ${secretMember("b")}`;
    const schema = parsed(`{ "$defs": { "some": { "required": ["a"] } }, "if": ${condition}, ${branches} }`);
    assert.equal(Object.keys(setSecretsAside(schema, { a: 1, b: 2 })).length, 2);
  }
});

test("what a secret lacks is said without the secret", () => {
  const values: [JsonObject, Json][] = [
    [{ type: "string", minLength: 100 }, "secret-1"],
    [{ type: "integer" }, "secret-1"],
    [{ enum: ["secret-2", "b"] }, "secret-1"],
    [{ type: "string", format: "uri" }, "secret-1"],
    [{ type: "string", pattern: "^x" }, "secret-1"],
    [{ type: "string", not: { const: "secret-1" } }, "secret-1"],
    [{ type: "array", uniqueItems: true }, ["secret-1", "secret-1"]],
    [{ oneOf: [{ type: "integer" }, { type: "object" }] }, "secret-1"],
  ];
  for (const [schema, value] of values) {
    const whole = { type: "object", properties: { password: { ...schema, writeOnly: true } } };
    assert.throws(
      () => checkInput("test", whole, { password: value }),
      (error: Error & { code: string; details: Json }) => {
        assert.equal(error.code, "INPUT_INVALID");
        assert.doesNotMatch(JSON.stringify([error.message, error.details]), /secret-1/, JSON.stringify(schema));
        return true;
      },
    );
  }
});
