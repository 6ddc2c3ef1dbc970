// Runs every row of the tables in docs/expressions.md.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { GantryError } from "../../host/errors.ts";
import { compile, evaluate, functions, parseText } from "../../host/expressions/index.ts";
import type { Json } from "../../host/sdk.ts";

const page = readFileSync(new URL("../../docs/expressions.md", import.meta.url), "utf8");

interface Row {
  expression: string;
  values: string;
  result: string;
}

const rows: Row[] = page
  .split("### ")
  .slice(1)
  .flatMap((section) => section.split("\n").filter((line) => line.startsWith("| `")))
  .map((line) => {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    assert.equal(cells.length, 3, line);
    const [expression, values, result] = cells.map((cell) => cell.trim().replaceAll("\\|", "|"));
    return { expression: expression!.slice(1, -1), values: values!, result: result! };
  });

/** `name = JSON` with `; ` between, or a text of so many characters. */
function scopeOf(values: string): Record<string, Json> {
  if (values === "") return {};
  const given = values.replaceAll(/^`|`$/g, "").split(/; (?=\w+ = )/);
  return Object.fromEntries(
    given.map((one) => {
      const [, name, value] = /^(\w+) = (.*)$/.exec(one)!;
      const length = /^([\d,]+) characters$/.exec(value!)?.[1];
      return [name!, length === undefined ? JSON.parse(value!) : "x".repeat(Number(length.replace(",", "")))];
    }),
  );
}

test("the page has many rows", () => {
  assert.ok(rows.length >= 100, `${rows.length} rows`);
  assert.equal(rows.length, page.match(/^\| `.*\$?\{\{.*\| .*\|$/gm)!.length);
});

for (const { expression, values, result } of rows)
  test(`${expression} with ${values || "no values"} gives ${result}`, () => {
    const { faults } = parseText(expression, { contexts: ["item", "other", "key"] });
    const fault = /^fault: `(\w+)`$/.exec(result)?.[1];
    assert.deepEqual(
      faults.map(({ code }) => code),
      fault === undefined ? [] : [fault],
    );
    if (fault !== undefined) return;
    const value = () => evaluate(compile(expression), scopeOf(values));
    const failure = /^fails: `(\w+)`$/.exec(result)?.[1];
    if (failure === undefined) assert.deepStrictEqual(value(), JSON.parse(result.slice(1, -1)));
    else assert.throws(value, (error) => error instanceof GantryError && error.code === failure);
  });

test("the page lists exactly the functions there are, and each is at work in a row", () => {
  const listed = page.slice(page.indexOf("## Functions"), page.indexOf("## What they mean"));
  const names = new Set([...listed.matchAll(/^\| `(\w+)\(/gm)].map(([, name]) => name!));
  assert.deepEqual([...names].sort(), [...functions.keys()].sort());
  for (const name of names) assert.ok(rows.some(({ expression }) => expression.includes(`${name}(`)));
});

test("a failure names the expression, and never a value", () => {
  assert.throws(
    () => evaluate(compile("${{ add(item, 1) }}"), { item: "secret" }),
    (error: GantryError) =>
      error.message === "argument 1 of add must be a number, in ${{ add(item, 1) }}" && error.remedy.length > 0,
  );
});
