import assert from "node:assert/strict";
import { test } from "node:test";
import { compileForValues, compileSchema, type SchemaProblem } from "../../host/documents/schema-check.ts";
import type { JsonObject } from "../../host/sdk.ts";
import { checkText } from "./check-file.ts";

const listed = (schema: JsonObject, value: unknown) =>
  compileSchema(schema)(value).map(({ pointer, keyword }) => `${keyword} ${pointer}`);

test("a schema that calls itself asynchronous checks all the same", () => {
  assert.deepEqual(listed({ $async: true, type: "object", required: ["a"] }, {}), ["required "]);
});

test("no part of a schema is asynchronous either, and a member may be called so", () => {
  const part = { $async: true, type: "string" };
  const schema = {
    properties: {
      $async: part,
      list: { $async: true, items: part },
      either: { anyOf: [part, { $ref: "#/$defs/part" }] },
    },
    $defs: { part },
    const: { $async: true, list: [1] },
  };
  assert.deepEqual(listed(schema, { $async: true, list: [1] }), ["type /$async", "type /list/0"]);
  assert.deepEqual(listed(schema, { $async: "a" }), ["const "]);
  const inputs = {
    $async: true,
    type: "object",
    properties: { a: { $async: true, $ref: "#" }, b: { type: "objekt" } },
  };
  const faults = checkText(JSON.stringify({ name: "a", inputs, steps: [] }));
  assert.deepEqual(
    faults.map(({ code, pointer }) => `${code} ${pointer}`),
    ["SCHEMA_INVALID /inputs/properties/b/type"],
  );
});

test("parts of a schema may refer to themselves and to each other", () => {
  const schema = {
    $ref: "#/$defs/tree",
    $defs: {
      tree: { type: "object", properties: { inner: { $ref: "#/$defs/list" } } },
      list: { type: "array", items: { $ref: "#/$defs/tree" } },
    },
  };
  assert.deepEqual(listed(schema, { inner: [{ inner: [{ inner: 1 }] }] }), ["type /inner/0/inner/0/inner"]);
});

test("a schema may refer to itself as a whole", () => {
  const tree = { type: "object", additionalProperties: false, properties: { child: { $ref: "#" } } };
  assert.deepEqual(listed(tree, { child: { child: {} } }), []);
  assert.deepEqual(listed(tree, { child: { child: { leaf: 1 } } }), ["additionalProperties /child/child/leaf"]);
});

test("a schema may refer to its parts by its own $id, and be compiled twice", () => {
  const $id = "https://example.com/named";
  const named = { $id, $ref: `${$id}#/$defs/text`, $defs: { text: { type: "string" } } };
  assert.deepEqual(listed(named, 1), ["type "]);
  assert.deepEqual(listed(structuredClone(named), 1), ["type "]);
});

test("schemas with the same names inside do not see each other", () => {
  const of = (type: string) => ({ $ref: "part", $defs: { part: { $id: "part", type } } });
  assert.deepEqual(listed(of("string"), 1), ["type "]);
  assert.deepEqual(listed(of("number"), 1), []);
  assert.throws(() => compileSchema({ $ref: "part" }));
});

test("a schema that could not be compiled leaves nothing behind", () => {
  assert.throws(() => compileSchema({ $id: "https://example.com/broken", $ref: "#/$defs/none" }));
  assert.deepEqual(listed({ $id: "https://example.com/broken", type: "string" }, 1), ["type "]);
});

test("a schema may refer to the schema of schemas", () => {
  const schema = { properties: { inputs: { $ref: "https://json-schema.org/draft/2020-12/schema" } } };
  for (let time = 0; time < 2; time++)
    assert.deepEqual(listed(schema, { inputs: { minimum: "1" } }), ["type /inputs/minimum"]);
});

for (const $schema of ["http://json-schema.org/draft-07/schema#", "../schemas/none.json", ""])
  test(`"$schema": "${$schema}" in a schema is for editors only`, () => {
    assert.deepEqual(listed({ $schema, type: "string" }, 1), ["type "]);
    const inputs = { $schema, type: "object" };
    assert.deepEqual(checkText(JSON.stringify({ name: "a", inputs, steps: [] })), []);
    const manifest = { name: "a", version: "1.0.0", host: "^1.0.0", main: "index.ts", config: inputs };
    assert.deepEqual(checkText(JSON.stringify(manifest), "manifest"), []);
  });

test("what is wrong in a schema of another version is found as in any other", () => {
  const inputs = { $schema: "http://json-schema.org/draft-07/schema#", type: "objekt" };
  const faults = checkText(JSON.stringify({ name: "a", inputs, steps: [] }));
  assert.deepEqual(
    faults.map(({ code, pointer }) => `${code} ${pointer}`),
    ["SCHEMA_INVALID /inputs/type"],
  );
});

test("a $schema that is no text is a fault", () => {
  const faults = checkText(JSON.stringify({ name: "a", inputs: { $schema: 1 }, steps: [] }));
  assert.deepEqual(
    faults.map(({ code, pointer }) => `${code} ${pointer}`),
    ["SCHEMA_INVALID /inputs/$schema"],
  );
});

test("of a large value the first problem is told, and the first that counts where others do not", () => {
  const schema = {
    type: "object",
    properties: { list: { type: "array", items: { type: "string" } }, size: { type: "integer", default: 7 } },
  };
  const check = compileForValues(schema, { defaults: true });
  const list = (length: number, item: unknown) => Array.from({ length }, () => item);
  assert.equal(check({ list: list(3, 1) }).length, 3);
  assert.deepEqual(
    check({ list: list(10_000, 1) }).map(({ pointer }) => pointer),
    ["/list/0"],
  );
  const value = { list: list(10_000, "a") };
  assert.deepEqual(check(value), []);
  assert.equal((value as { size?: number }).size, 7);
  const counts = ({ pointer }: SchemaProblem) => pointer === "/list/9999";
  assert.deepEqual(
    check({ list: [...list(9998, "a"), 1, 2] }, counts).map(({ pointer }) => pointer),
    ["/list/9999"],
  );
  assert.deepEqual(check({ list: [...list(9998, "a"), 1, "b"] }, counts), []);
});
