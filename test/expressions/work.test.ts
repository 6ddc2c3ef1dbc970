// What a short text may make the host do. Work is counted by the values themselves: each tells how often it is looked at.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GantryError } from "../../host/errors.ts";
import { Closings } from "../../host/expressions/closings.ts";
import { compile, evaluate } from "../../host/expressions/index.ts";
import { maxTextLength } from "../../host/expressions/limits.ts";
import { occurs } from "../../host/expressions/search.ts";
import { maxWork } from "../../host/expressions/work.ts";
import type { Json } from "../../host/sdk.ts";

const maxSource = 4096;
let looks = 0;

/** The value, and all in it, counting how often it is looked at. */
function counted<Value extends Json>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  const inner = new Map<PropertyKey, unknown>();
  return new Proxy(value, {
    get(target, key) {
      looks += 1;
      if (!Object.hasOwn(target, key)) return Reflect.get(target, key);
      if (!inner.has(key)) inner.set(key, counted((target as Record<PropertyKey, Json>)[key]!));
      return inner.get(key);
    },
    ownKeys(target) {
      looks += Object.keys(target).length;
      return Reflect.ownKeys(target);
    },
  });
}

const many = <Item>(count: number, item: (index: number) => Item) => Array.from({ length: count }, (_, at) => item(at));
const members = (count: number) => Object.fromEntries(many(count, (at) => [`k${at}`, at]));
const shared = () => {
  let value: Json = ["leaf"];
  for (let level = 0; level < 40; level++) value = { left: value, right: value };
  return value;
};
const values: Record<string, Json> = {
  numbers: many(20_000, (at) => at),
  same: many(20_000, (at) => at),
  objects: many(5000, (at) => ({ at, list: [at] })),
  object: members(20_000),
  twin: members(20_000),
  shared: shared(),
  other: shared(),
  text: "a".repeat(60_000),
  long: "a".repeat(1_000_000),
  part: `${"a".repeat(3000)}b`,
  wide: "\u0001".repeat(9000),
  json: JSON.stringify(members(3000)),
};

const operand = fc.constantFrom(...Object.keys(values));
const unit = fc.oneof(
  fc.tuple(operand, fc.constantFrom("==", "!=", "<"), operand).map((parts) => parts.join("")),
  fc.tuple(operand, operand).map(([within, wanted]) => `contains(${within},${wanted})`),
  fc
    .tuple(fc.constantFrom("length", "toJSON", "fromJSON", "join", "format"), operand)
    .map(([name, of]) => `${name}(${of})!=0`),
  fc.tuple(operand, operand).map(([list, between]) => `length(join(${list},${between}))>0`),
  fc.tuple(operand, operand).map(([a, b]) => `format('{0}{1}{0}',${a},${b})!=''`),
  fc.tuple(operand, operand).map(([a, b]) => `startsWith(${a},${b})||endsWith(${b},${a})`),
  operand.map((of) => `length(toJSON(fromJSON(toJSON(${of}))))>0`),
  fc.constantFrom("semver('1.2.3','>=1.0.0-a')", "default(nothing,object)==twin", "fromJSON('[[1]]')[0]==numbers[0]"),
);

/** A source of almost 4 KiB that does the same few things again and again, whatever they give. */
const source = fc.array(unit, { minLength: 1, maxLength: 3 }).map((units) => {
  const line = units.map((one) => `(${one})==null`).join("||");
  return `\${{ ${Array(Math.floor((maxSource - 10) / (line.length + 2)))
    .fill(line)
    .join("||")} }}`;
});

test("whatever 4 KiB of expression do with large values, the work and what comes of it are bounded", () => {
  let refused = 0;
  fc.assert(
    fc.property(source, (text) => {
      assert.ok(text.length <= maxSource);
      const scope = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, counted(value)]));
      const template = compile(text);
      looks = 0;
      try {
        evaluate(template, scope);
      } catch (error) {
        assert.ok(error instanceof GantryError, String(error));
        assert.ok(["EXPRESSION_FAILED", "EXPRESSION_TOO_LARGE"].includes(error.code));
        if (error.code === "EXPRESSION_TOO_LARGE") refused += 1;
      }
      // A list is looked at a few times for each of its items.
      assert.ok(looks <= 4 * maxWork, `${looks} looks`);
    }),
    { numRuns: 60 },
  );
  assert.ok(refused >= 5, `only ${refused} texts were too much work`);
});

test("many small expressions in one text share what it may do", () => {
  const scope = { object: counted(members(20_000)), numbers: counted(many(10_000, (at) => at)) };
  for (const expression of ["length(object)", "length(toJSON(numbers))", "contains(numbers, 'none')"]) {
    looks = 0;
    const text = `\${{ ${expression} }}`.repeat(Math.floor(maxSource / (expression.length + 7)));
    assert.throws(() => evaluate(compile(text), scope), { code: "EXPRESSION_TOO_LARGE" });
    assert.ok(looks <= 4 * maxWork, `${looks} looks`);
  }
});

test("a text made of many parts stops growing at the cap", () => {
  const text = `${"${{ part }}".repeat(300)}`;
  let taken = 0;
  const scope = {
    get part() {
      taken += 1;
      return "x".repeat(1000);
    },
  };
  assert.throws(() => evaluate(compile(text), scope), { code: "EXPRESSION_TOO_LARGE" });
  assert.equal(taken, Math.floor(maxTextLength / 1000) + 1);
});

test("a part is found exactly where a text has it", () => {
  const few = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 60 });
  fc.assert(
    fc.property(few, few, (part, text) => assert.equal(occurs(part, text), text.includes(part))),
    {
      numRuns: 3000,
    },
  );
});

test("an expression ends at the first }} outside of quotes, and without one at the first there is", () => {
  const slowly = (text: string, from: number) => {
    for (let index = from, quoted = false; index < text.length; index++) {
      if (text[index] === "'") quoted = !quoted;
      else if (!quoted && text.startsWith("}}", index)) return index;
    }
    const plain = text.indexOf("}}", from);
    return plain < 0 ? undefined : plain;
  };
  const text = fc.array(fc.constantFrom("${{", "}}", "'", "}", " a "), { maxLength: 40 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(5)), (pieces, steps) => {
      const any = pieces.join("");
      const closings = new Closings(any);
      let from = 0;
      for (const step of steps) {
        from += step;
        assert.equal(closings.after(from), slowly(any, from));
      }
    }),
    { numRuns: 3000 },
  );
});
