import assert from "node:assert/strict";
import { test } from "node:test";
import { shownValue } from "../../../plugins/things/shown-value.ts";

const text = { type: "string" };
const secret = { type: "string", writeOnly: true };

test("a value of which nothing is secret is shown as it is", () => {
  const value = { a: "b", c: ["d", 5] };
  assert.equal(shownValue(value, { properties: { a: text } }), value);
  assert.equal(shownValue(value, undefined), value);
});

test("texts are hidden that are secret, or of which nothing is known; names, numbers and what is known are shown", () => {
  const schema = {
    properties: {
      id: text,
      options: { patternProperties: { "^info": text }, additionalProperties: secret },
      keys: { type: "array", items: { properties: { name: text, key: secret } } },
      whole: { type: "object", writeOnly: true, properties: { name: text } },
      some: { anyOf: [{ type: "null" }, secret] },
      other: { $ref: "#/$defs/secret" },
    },
    $defs: { secret },
  };
  const value = {
    id: "a",
    options: { "info.x": "b", key: "no", wrong: 5, nested: ["no"] },
    keys: [{ name: "c", key: "no", more: "no" }, "no"],
    whole: { name: "no" },
    some: "no",
    other: "no",
    unknown: { deep: ["no", null, true] },
  };
  const hidden = "***";
  assert.deepEqual(shownValue(value, schema), {
    id: "a",
    options: { "info.x": "b", key: hidden, wrong: 5, nested: [hidden] },
    keys: [{ name: "c", key: hidden, more: hidden }, hidden],
    whole: { name: hidden },
    some: hidden,
    other: hidden,
    unknown: { deep: [hidden, null, true] },
  });
  assert.deepEqual(shownValue({ options: "no" }, schema), { options: hidden });
  assert.equal(shownValue("no", schema), hidden);
});
