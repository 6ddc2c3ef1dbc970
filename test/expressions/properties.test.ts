import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GantryError } from "../../host/errors.ts";
import { compile, evaluate, parseText } from "../../host/expressions/index.ts";
import { maxTextLength } from "../../host/expressions/limits.ts";
import { isEqual, member } from "../../host/expressions/operators.ts";
import { startWork } from "../../host/expressions/work.ts";
import type { Json, JsonObject } from "../../host/sdk.ts";

const pieces = [
  ..."()[].,!<>=&|*+-'\"{}$ \n\r\t\\#0".split(""),
  ...["${{", "}}", "''", "==", "!=", "&&", "||", "<=", ">="],
  ...[
    "inputs",
    "a",
    "b-c",
    "true",
    "null",
    "NaN",
    "Infinity",
    "1",
    "-0.5",
    "1e999",
    "0x1",
    "'it''s'",
    "'x\ny'",
    "ä",
    "🙂",
  ],
  ...["contains(", "format(", "join(", "length(", "add(", "toJSON(", "fromJSON(", "default(", "semver(", "nix("],
  ...["constructor", "__proto__", "toString("],
];
const source = fc.array(fc.constantFrom(...pieces), { maxLength: 25 }).map((parts) => parts.join(""));
const text = fc.oneof(
  source.map((inner) => `\${{ ${inner} }}`),
  source,
  fc.string({ unit: "binary", maxLength: 40 }).map((inner) => `x \${{${inner}}} y`),
);
const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
// Names that objects inherit come up often enough to matter.
const key = fc.oneof(fc.constantFrom("a", "b-c", ...Object.getOwnPropertyNames(Object.prototype)), fc.string());
const object = fc
  .array(fc.tuple(key, json), { maxLength: 6 })
  .map((entries) => Object.fromEntries(entries) as JsonObject);
const scope = fc.record({ inputs: fc.oneof(json, object), a: json });

test("whatever a text holds, reading and evaluating it fails with a code or not at all", () => {
  let evaluated = 0;
  fc.assert(
    fc.property(text, scope, (any, values) => {
      const { faults } = parseText(any);
      try {
        const value = evaluate(compile(any), values);
        evaluated += 1;
        assert.deepEqual(faults, []);
        assert.deepEqual(JSON.parse(JSON.stringify(value)), JSON.parse(JSON.stringify(value)));
      } catch (error) {
        assert.ok(error instanceof GantryError, String(error));
        assert.ok(["EXPRESSION_FAILED", "EXPRESSION_TOO_LARGE"].includes(error.code));
      }
    }),
    { numRuns: 5000 },
  );
  assert.ok(evaluated > 200, `only ${evaluated} texts could be evaluated`);
});

test("faults and references lie inside the text, and name what stands there", () => {
  fc.assert(
    fc.property(text, (any) => {
      const { faults, references } = parseText(any, { contexts: ["inputs", "a"] });
      for (const { offset, length, message } of faults) {
        assert.ok(offset >= 0 && length >= 1 && offset + length <= any.length, `${offset}+${length}`);
        assert.ok(message.length > 5 && !message.includes("undefined") && !message.includes("\n"), message);
      }
      for (const { path, segments } of references)
        for (const [index, { offset, length }] of segments.entries()) {
          const written = any.slice(offset, offset + length);
          const name = written.startsWith("'") ? written.slice(1, -1).replaceAll("''", "'") : written;
          assert.equal(typeof path[index] === "number" ? Number(name) : name, path[index]);
        }
    }),
    { numRuns: 5000 },
  );
});

test("a fault is found at its own place wherever the expression stands", () => {
  const before = fc.constantFrom(
    "",
    "plain ",
    "it's\n",
    "${{ a }} ",
    "${{ 'x\n}}' }}\r\n",
    "🙂 ${{ inputs\n== 'it''s' }}",
  );
  const around = fc.constantFrom("", "a == ", "'x\ny\n' == ", "!(true\n&& ", "format('{0}',\n\t");
  fc.assert(
    fc.property(before, around, (start, lead) => {
      const { faults } = parseText(`${start}\${{ ${lead}nix${lead.includes("(") ? ")" : ""} }}`, {
        contexts: ["inputs", "a"],
      });
      assert.deepEqual(
        faults.map(({ code, offset, length }) => [code, offset, length]),
        [["EXPRESSION_UNKNOWN_CONTEXT", start.length + 4 + lead.length, 3]],
      );
    }),
  );
});

test("== is true for a copy, the same in both directions, and agrees with a comparison of canonical JSON", () => {
  const canonical = (value: Json): string =>
    JSON.stringify(value, (_, inner) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
        : inner,
    );
  const compared = compile("${{ a == b }}");
  fc.assert(
    fc.property(fc.oneof(json, object), fc.oneof(json, object), (left, right) => {
      assert.equal(evaluate(compared, { a: left, b: structuredClone(left) }), true);
      const equal = evaluate(compared, { a: left, b: right });
      assert.equal(evaluate(compared, { a: right, b: left }), equal);
      assert.equal(equal, canonical(left) === canonical(right));
      assert.equal(evaluate(compile("${{ a != b }}"), { a: left, b: right }), !equal);
    }),
  );
});

test("a whole path gives the very value it names", () => {
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), object, (path, leaf) => {
      const inputs = path.reduceRight<JsonObject>((inner, name) => Object.fromEntries([[name, inner]]), leaf);
      const written = path.map((name) => `['${name.replaceAll("'", "''")}']`).join("");
      assert.equal(evaluate(compile(`\${{ inputs${written} }}`), { inputs }), leaf);
    }),
  );
});

test("a whole path gives the same as when something is computed with it", () => {
  const part = fc.oneof(
    key.map((name) => `['${name.replaceAll("'", "''")}']`),
    fc.integer({ min: -2, max: 3 }).map((index) => `[${index}]`),
    fc.constantFrom(".a", ".constructor", "[0.5]", "['__proto__']", "['length']"),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), fc.oneof(json, object), (path, inputs) => {
      const whole = `inputs${path.join("")}`;
      const computed = evaluate(compile(`\${{ default(${whole}, null) }}`), { inputs });
      assert.deepEqual(evaluate(compile(`\${{ ${whole} }}`), { inputs }), computed);
    }),
    { numRuns: 2000 },
  );
});

test("a text given as a literal is read back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (any) => {
      assert.equal(evaluate(compile(`\${{ '${any.replaceAll("'", "''")}' }}`), {}), any);
    }),
  );
});

test("a member is never inherited", () => {
  fc.assert(
    fc.property(json, fc.oneof(key, json), (of, name) => {
      const own =
        typeof of === "object" &&
        of !== null &&
        (Array.isArray(of) ? typeof name === "number" : typeof name === "string")
          ? Object.getOwnPropertyDescriptor(of, name as string)?.value
          : undefined;
      assert.equal(member(of, name), own ?? null);
    }),
    { numRuns: 2000 },
  );
  for (const name of Object.getOwnPropertyNames(Object.prototype)) {
    assert.equal(member({}, name), null);
    assert.equal(evaluate(compile(`\${{ inputs.${name} }}`), { inputs: {} }), null);
    assert.equal(evaluate(compile(`\${{ ${name} }}`), {}), null);
  }
});

test("texts that functions make are as long as they should be, or refused above 65,536 characters", () => {
  const size = fc.integer({ min: 0, max: 70_000 });
  const texts: [name: string, expression: string, length: (a: number, b: number) => number][] = [
    ["format", "${{ format('{{{0}}}{1}{0}', a, b) }}", (a, b) => 2 * a + b + 2],
    ["join", "${{ join(list, b) }}", (a, b) => 3 * a + 2 * b],
    ["toJSON", "${{ toJSON(list) }}", (a) => 3 * (a + 2) + 4],
    ["texts joined", "${{ a }}-${{ b }}", (a, b) => a + b + 1],
  ];
  for (const [name, expression, lengthOf] of texts)
    fc.assert(
      fc.property(size, size, (first, second) => {
        const [a, b] = ["x".repeat(first), "y".repeat(second)];
        const tooLong = Math.max(first, name === "format" || name === "texts joined" ? second : 0) > maxTextLength;
        const length = lengthOf(first, second);
        const value = () => evaluate(compile(expression), { a, b, list: [a, a, a] });
        if (!tooLong && length <= maxTextLength) assert.equal((value() as string).length, length, name);
        else assert.throws(value, { code: "EXPRESSION_TOO_LARGE" }, name);
      }),
      { numRuns: 40 },
    );
});

test("a value that is small in memory and endless to walk through is refused, not walked through", () => {
  const grown = () => {
    let value: Json = "leaf";
    for (let level = 0; level < 60; level++) value = { left: value, right: value };
    return value;
  };
  const [a, b] = [grown(), grown()];
  assert.throws(() => evaluate(compile("${{ a == b }}"), { a, b }), { code: "EXPRESSION_TOO_LARGE" });
  assert.throws(() => evaluate(compile("${{ contains(list, b) }}"), { list: [a], b }), {
    code: "EXPRESSION_TOO_LARGE",
  });
  assert.throws(() => evaluate(compile("${{ toJSON(a) }}"), { a }), { code: "EXPRESSION_TOO_LARGE" });
  assert.throws(() => evaluate(compile("${{ join(list) }} and ${{ a }}"), { list: [a, a], a }), {
    code: "EXPRESSION_TOO_LARGE",
  });
  assert.equal(isEqual(a, a, startWork()), true);
});

test("a value that is nested without end is refused with a code", () => {
  const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) as Json;
  const copy = nested(100_000);
  assert.throws(() => evaluate(compile("${{ a == b }}"), { a: deep, b: copy }), { code: "EXPRESSION_TOO_LARGE" });
  assert.throws(() => evaluate(compile("x ${{ toJSON(a) }}"), { a: nested(40_000) }), {
    code: "EXPRESSION_TOO_LARGE",
  });
  const text = `${"[".repeat(65)}${"]".repeat(65)}`;
  assert.throws(() => evaluate(compile("${{ fromJSON(a) }}"), { a: text }), { code: "EXPRESSION_FAILED" });
  assert.deepEqual(evaluate(compile("${{ fromJSON(a)[0] }}"), { a: text.slice(1, -1) }), JSON.parse(text.slice(2, -2)));
});

function nested(depth: number): Json {
  let value: Json = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}
