// Expressions in the marks of other languages are texts here: a note says so, with what was probably meant.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkText } from "./check-file.ts";

const documentWith = (payload: unknown) =>
  JSON.stringify({
    name: "marks",
    inputs: { type: "object", properties: { who: { type: "string" } } },
    steps: [{ uses: "mqtt/publish", with: { topic: "a", payload } }],
  });

const told = (payload: unknown) => {
  const text = documentWith(payload);
  return checkText(text).map(({ severity, code, column, length, suggestion }) => [
    severity,
    code,
    text.slice(column - 1, column - 1 + length),
    suggestion,
  ]);
};

test("an expression in the marks of another language is noted, with our own", () => {
  for (const marked of ["{{ inputs.who }}", "${inputs.who}", "{inputs.who}"])
    assert.deepEqual(
      told(`hello ${marked}!`),
      [["note", "EXPRESSION_NOT_MARKED", marked, "${{ inputs.who }}"]],
      marked,
    );
});

test("an expression in a key is noted: it is not read there", () => {
  assert.deepEqual(told({ "${{ inputs.who }}": 1 }), [
    ["note", "EXPRESSION_NOT_MARKED", '"${{ inputs.who }}"', undefined],
  ]);
});

test("texts with braces that mean something else are left alone", () => {
  for (const payload of [
    "{{name}}",
    "${HOME}/x",
    "{ inputs }",
    "inputs.who",
    "awk '{print $1}'",
    "${{ inputs.who }} {a.b}",
  ])
    assert.deepEqual(told(payload), [], payload);
});

test("where such a text is a fault already, there is no note beside it", () => {
  const text = JSON.stringify({
    name: "marks",
    steps: [{ uses: "host/wait", with: { duration: "{{ inputs.time }}" } }],
  });
  assert.deepEqual(
    checkText(text).map(({ code, suggestion }) => [code, suggestion]),
    [["VALUE_WRONG", "${{ inputs.time }}"]],
  );
});
