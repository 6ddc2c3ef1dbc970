// Where a fault stands does not depend on how the text is written. In these documents § marks the place.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkText } from "./check-file.ts";

const workflow = `{
  "name": "places",
  "steps": [
    {
      "uses": "mqtt/publish",
      "with": { "topic": "a", "payload": "\${{ §nix }}", §"tpoic": 1 }
    }
  ],
  "finally": §{}
}
`;

function placesOf(text: string): { line: number; column: number }[] {
  const places = [];
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    let marks = 0;
    for (const { index: at } of line.matchAll(/§/g)) places.push({ line: index + 1, column: at - marks++ + 1 });
  }
  return places;
}

function assertPlaces(marked: string): void {
  const faults = checkText(marked.replaceAll("§", ""));
  assert.deepEqual(
    faults.map(({ line, column }) => ({ line, column })),
    placesOf(marked),
    marked,
  );
}

test("line breaks of Windows", () => assertPlaces(workflow.replaceAll("\n", "\r\n")));

test("tabs count as one column each", () => assertPlaces(workflow.replaceAll("  ", "\t")));

test("all on one line", () => assertPlaces(workflow.replaceAll(/\n\s*/g, "")));

test("characters outside the basic plane count as two columns, as editors count them", () =>
  assertPlaces(workflow.replaceAll('"topic": "a"', '"topic": "🙂ä"')));

test("a long line", () => assertPlaces(workflow.replaceAll('"topic": "a"', `"topic": "${"a".repeat(5000)}"`)));

const inTexts: [what: string, text: string][] = [
  ["a line break written as an escape", "\\n\\r\\n${{ §nix }}"],
  ["a quote written as an escape", '\\"\\\\\\/${{ §nix }}'],
  ["a character written as an escape", "\\u00e4\\ud83d\\ude42 ${{ §nix }}"],
  ["a character outside the basic plane", "🙂 ${{ '🙂' == §nix }}"],
  ["a text over several lines before it", "${{ 'a\\nb\\n' == 'c' || §nix }}"],
  ["an expression over several lines", "${{\\n  true\\n  &&\\n\\t§nix\\n}}"],
  ["an expression that is written with escapes itself", "${\\u007b inputs.a == §\\u006eix \\u007d}"],
  ["doubled quotes before it", "${{ 'it''s ''so''' == §nix }}"],
  ["braces in a text before it", "${{ '}}' == '${{' && §nix }}"],
  ["several expressions", "${{ inputs.a }} ${{ §nix }} ${{ inputs.b }}${{ §nix.nix }}"],
  ["a symbol that is no word", "${{ inputs.a\\n  == 'b\\nc'\\n §# }}"],
  ["a quote that is never closed", "it's ${{ inputs.a == §'b }} isn't"],
  ["an expression that ends too early, with a line break after it", "${{ inputs.a =§=\\n }}"],
];

for (const [what, text] of inTexts)
  test(`within a text: ${what}`, () => {
    assertPlaces(`{ "name": "text", "inputs": {}, "vars": { "ä\\n": "${text}" }, "steps": [] }`);
  });

test("a key that holds a slash, a tilde or an escape is found by its pointer", () => {
  const text = '{ "name": "keys", "steps": [], "vars": { "a/b~c\\u0022": "${{ nix }}" } }';
  const [fault, ...others] = checkText(text);
  assert.deepEqual(others, []);
  assert.deepEqual([fault?.pointer, fault?.column], ['/vars/a~1b~0c"', text.indexOf("nix") + 1]);
});

test("the pointer of what stands under a misspelt key is the one in the document", () => {
  const faults = checkText(
    '{ "name": "keys", "stpes": [{ "uses": "mqtt/publish", "wiht": { "topic": 1, "payload": "${{ nix }}" } }] }',
  );
  assert.deepEqual(
    faults.map(({ code, pointer, suggestion }) => [code, pointer, suggestion]),
    [
      ["KEY_UNKNOWN", "/stpes", "steps"],
      ["KEY_UNKNOWN", "/stpes/0/wiht", "with"],
      ["VALUE_WRONG", "/stpes/0/wiht/topic", undefined],
      ["EXPRESSION_UNKNOWN_CONTEXT", "/stpes/0/wiht/payload", undefined],
    ],
  );
});
