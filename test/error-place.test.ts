// Where in a plugin's code a mistake stands: what its author needs most.

import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf } from "../host/error-place.ts";
import { GantryError, toFailure } from "../host/errors.ts";
import { PluginError } from "../host/sdk.ts";

const own = new URL("../host/isolation/child.ts", import.meta.url).href;
const withStack = (stack: string, error: Error = new Error("odd")) => Object.assign(error, { stack });

const stacks: [what: string, stack: string, place: string | undefined][] = [
  [
    "the first file of the stack",
    "Error: odd\n    at blink (file:///p/a.ts:3:7)\n    at file:///p/b.ts:1:1",
    "/p/a.ts:3:7",
  ],
  ["not Node's own", "Error: odd\n    at node:internal/x:1:1\n    at async file:///p/b.ts:9:1", "/p/b.ts:9:1"],
  ["not Gantry's own", `Error: odd\n    at ${own}:1:1\n    at file:///p/b.ts:9:1`, "/p/b.ts:9:1"],
  ["the head of what cannot be read", "file:///p/a%20b.ts:4\n  x = ;\n\nSyntaxError: odd\n    at x", "/p/a b.ts:4"],
  ["nowhere", "Error: odd\n    at node:internal/x:1:1", undefined],
  ["a stack that is none", "", undefined],
];
for (const [what, stack, place] of stacks)
  test(`the place is ${what}`, () => {
    assert.equal(placeOf(withStack(stack)), place);
  });

test("only an error without a code of its own is a mistake with a place", () => {
  const stack = "Error: odd\n    at file:///p/a.ts:3:7";
  assert.equal(toFailure(withStack(stack)).place, "/p/a.ts:3:7");
  for (const error of [new PluginError("LAMP_DARK", "dark"), new GantryError("STEP_UNKNOWN", "unknown")])
    assert.equal(toFailure(withStack(stack, error)).place, undefined);
});
