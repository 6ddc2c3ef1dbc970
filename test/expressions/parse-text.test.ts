import assert from "node:assert/strict";
import { test } from "node:test";
import { parseText } from "../../host/expressions/index.ts";

function faultsOf(text: string): string[] {
  return parseText(text).faults.map(
    ({ code, message, offset, length }) => `${code} ${JSON.stringify(text.slice(offset, offset + length))} ${message}`,
  );
}

const unreadable: [text: string, fault: string][] = [
  ["${{ a = b }}", 'EXPRESSION_SYNTAX "=" = is not expected here; == compares'],
  ["${{ a & b }}", 'EXPRESSION_SYNTAX "&" & is not expected here; && stands for and'],
  [
    "${{ a ? b : c }}",
    'EXPRESSION_SYNTAX "?" ? is not expected here; default(value, fallback) and `if` on a step choose',
  ],
  [
    "${{ 1 + 2 }}",
    'EXPRESSION_SYNTAX "+" + is not expected here; add(a, b) adds numbers, and ${{ a }}${{ b }} joins texts',
  ],
  ["${{ a * 2 }}", 'EXPRESSION_SYNTAX "*" * is not expected here; there is only add() for numbers'],
  ['${{ "a" }}', 'EXPRESSION_SYNTAX "\\"a\\"" texts in an expression stand in single quotes (\')'],
  ["${{ 'a }}", "EXPRESSION_SYNTAX \"'a \" this text is not closed by '"],
  ["${{ a\u00a0== 1 }}", 'EXPRESSION_SYNTAX "\u00a0" the character U+00A0 is not expected here'],
  ["${{ a.b. }}", 'EXPRESSION_SYNTAX "." the expression ends too early'],
  ["${{ (a }}", 'EXPRESSION_SYNTAX "a" the expression ends too early'],
  ["${{ a[ }}", 'EXPRESSION_SYNTAX "[" the expression ends too early'],
  ["${{ a) }}", 'EXPRESSION_SYNTAX ")" ) is not expected here'],
  ["${{ add(1,) }}", 'EXPRESSION_SYNTAX ")" a value is missing before this )'],
  ["${{ add(,1) }}", 'EXPRESSION_SYNTAX "," , is not expected here'],
  ["${{ a[*] }}", 'EXPRESSION_SYNTAX "*" * has no meaning here; use forEach to go through a list'],
  ["${{ 0x10 }}", 'EXPRESSION_SYNTAX "0x10" 0x10 is no number as JSON writes them, such as 1, -0.5 or 1e3'],
  ["${{ 1e999 }}", 'EXPRESSION_SYNTAX "1e999" 1e999 is no number as JSON writes them, such as 1, -0.5 or 1e3'],
  ["${{ Infinity }}", 'EXPRESSION_SYNTAX "Infinity" Infinity is no number as JSON writes them, such as 1, -0.5 or 1e3'],
  ["${{ a == NaN }}", 'EXPRESSION_SYNTAX "NaN" NaN is no number as JSON writes them, such as 1, -0.5 or 1e3'],
  ["${{ 'a' 'b' }}", "EXPRESSION_SYNTAX \"'b'\" 'b' is not expected here"],
  ["${{ }}", 'EXPRESSION_SYNTAX " " the expression is empty'],
  ["a ${{ b", 'EXPRESSION_UNCLOSED "${{" `${{` is not closed by `}}`'],
];

for (const [text, fault] of unreadable)
  test(`${text} is refused, and says why`, () => {
    assert.deepEqual(faultsOf(text), [fault]);
  });

test("an expression is bounded in length, in depth, and in how many comparisons follow each other", () => {
  const complex = [
    `a${" ".repeat(21_000)}`,
    `${"(".repeat(60)}a${")".repeat(60)}`,
    `a${".b".repeat(60)}`,
    "!".repeat(60).concat("a"),
    Array.from({ length: 4000 }, () => "a").join("=="),
  ];
  for (const source of complex) {
    const text = `\${{ ${source} }}`;
    const [fault, ...others] = parseText(text).faults;
    assert.deepEqual([fault?.code, others], ["EXPRESSION_TOO_COMPLEX", []], source.slice(0, 20));
    assert.equal(text.slice(fault!.offset, fault!.offset + fault!.length), source.trim());
  }
  assert.deepEqual(parseText(`\${{ ${"a && ".repeat(900)}a }}`).faults, []);
});

test("several faults of one text are found together", () => {
  assert.deepEqual(
    parseText("${{ lenght(nix) }} ${{ toJSON() }} ${{ a[*].b }}", { contexts: ["a"] }).faults.map(({ code }) => code),
    ["EXPRESSION_UNKNOWN_FUNCTION", "EXPRESSION_UNKNOWN_CONTEXT", "EXPRESSION_ARGUMENTS", "EXPRESSION_SYNTAX"],
  );
});

test("references end where a key is computed, and what is computed refers to things itself", () => {
  const paths = (text: string) => parseText(text).references.map(({ path }) => path.join("."));
  assert.deepEqual(paths("${{ a.b[0]['c d'].e }}"), ["a.b.0.c d.e"]);
  assert.deepEqual(paths("${{ a[b.c].d }}"), ["a", "b.c"]);
  assert.deepEqual(paths("${{ join(a.b, fromJSON(c)[d].e) == !f }}"), ["a.b", "c", "d", "f"]);
});

test("only one expression with nothing but blanks around it keeps its type", () => {
  const whole = (text: string) => parseText(text).whole;
  assert.deepEqual(["${{ a }}", " ${{ a }}\n", "${{ '}}' }}"].map(whole), [true, true, true]);
  assert.deepEqual(["x${{ a }}", "${{ a }}${{ b }}", "plain"].map(whole), [false, false, false]);
});
