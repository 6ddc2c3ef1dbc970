// What an `undo` reads is kept as it was before its step acted: nothing more, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fixValues, pathsRead } from "../../host/engine/fixed-values.ts";
import { evaluateAt } from "../../host/engine/read-values.ts";
import { compile, type Scope } from "../../host/expressions/index.ts";
import type { Json, JsonObject } from "../../host/sdk.ts";

const key = fc.constantFrom("a", "b", "items", "0", "__proto__", "constructor");

/** A value with few names, so that what an expression asks for is often there. */
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Json>(null, true, 0, 7, "text"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc
      .array(fc.tuple(key, tie("value")), { maxLength: 4 })
      .map((members) =>
        JSON.parse(`{${members.map(([name, of]) => `${JSON.stringify(name)}:${JSON.stringify(of)}`)}}`),
      ),
  ) as fc.Arbitrary<Json>,
}));

const part = fc.oneof(
  fc.constantFrom("a", "b", "items", "constructor").map((name) => `.${name}`),
  fc.constantFrom("a", "0", "__proto__").map((name) => `['${name}']`),
  fc.nat(2).map((index) => `[${index}]`),
  // A key that is only known when it is evaluated.
  fc.constantFrom("[vars.a]", "[inputs.b]", "[index]"),
);
const context = fc.constantFrom("inputs", "vars", "steps.one.outputs", "item", "index");
const path = fc.tuple(context, fc.array(part, { maxLength: 4 })).map(([name, parts]) => name + parts.join(""));
const expression = fc.oneof(
  path.map((text) => `\${{ ${text} }}`),
  path.map((text) => `before \${{ toJSON(${text}) }} after`),
  fc.tuple(path, path).map(([one, other]) => `\${{ default(${one}, ${other}) }}`),
  fc.tuple(path, path).map(([one, other]) => `\${{ ${one} == ${other} || !(${other} == null) }}`),
);
const input = fc.dictionary(fc.constantFrom("x", "y", "z"), expression, { minKeys: 1 });
const scope = fc.record({ inputs: value, vars: value, outputs: value, item: value, index: fc.nat(3) });

test("an undo sees the values from before its step acted, as if they were all still there", () => {
  fc.assert(
    fc.property(input, scope, (given, { outputs, ...contexts }) => {
      const before = { ...contexts, steps: { one: { status: "succeeded", outputs } } } as unknown as Scope;
      const template = compile(given as Json);
      const expected = evaluateAt(template, structuredClone(before));
      const fixed = fixValues(pathsRead(given as Json), before);
      // Through the journal, and everything changes afterwards.
      const kept = JSON.parse(JSON.stringify(fixed)) as JsonObject;
      const told = evaluateAt(template, kept as unknown as Scope);
      assert.equal(told.ok, expected.ok);
      if (told.ok && expected.ok) assert.deepEqual(told.value, expected.value);
    }),
    { numRuns: 3000 },
  );
});

test("only what is read is kept", () => {
  const scope = { inputs: { a: { b: 1, big: "x" }, other: 2 }, vars: { list: [1, 2] }, device: { id: "d" } };
  const given = { one: "${{ inputs.a.b }}", two: "${{ vars.list[1] }}", none: "${{ inputs.missing.far }}" };
  assert.deepEqual(fixValues(pathsRead(given), scope as unknown as Scope), {
    inputs: { a: { b: 1 } },
    vars: { list: [1, 2] },
  });
});

test("what changes afterwards changes nothing of what was kept", () => {
  const scope = { vars: { list: [{ n: 1 }] } };
  const fixed = fixValues(pathsRead({ all: "${{ vars.list }}" }), scope as unknown as Scope);
  scope.vars.list[0]!.n = 2;
  assert.deepEqual(fixed, { vars: { list: [{ n: 1 }] } });
});
