import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "../../host/terminal/table.ts";

test("columns are aligned, and nothing that is empty stands at the end of a line", () => {
  assert.equal(
    table(
      ["a", "long head", ""],
      [
        ["xyz", "1", "more"],
        ["", "22", ""],
      ],
    ),
    "a    long head\nxyz  1          more\n     22\n",
  );
});

test("control characters do not reach the terminal", () => {
  assert.equal(table(["a"], [["x\u001b[31m\ny"]]), "a\nx [31m y\n");
});

test("the last column is shortened to the terminal's width, and stays readable in a narrow one", () => {
  const lines = (columns: number) => table(["a", "b"], [["12345", "x".repeat(50)]], { columns }).split("\n");
  assert.equal(lines(40)[1], `12345  ${"x".repeat(32)}…`);
  assert.equal(lines(5)[1], `12345  ${"x".repeat(19)}…`);
  assert.equal(lines(57)[1], `12345  ${"x".repeat(50)}`);
});

test("colours change no widths, and the head has none", () => {
  const paint = (text: string, row: number, column: number) => (column === 0 ? `<${row}${text}>` : text);
  assert.equal(
    table(
      ["ab", "c"],
      [
        ["a", "1"],
        ["", "2"],
      ],
      { paint },
    ),
    "ab  c\n<0a >  1\n<1  >  2\n",
  );
});
