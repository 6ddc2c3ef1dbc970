import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { type Fault, faultCatalogue } from "../../host/documents/fault.ts";
import { faultAsJson, formatFault } from "../../host/documents/fault-text.ts";

const fault: Fault = {
  file: "flow.json",
  line: 2,
  column: 4,
  length: 6,
  pointer: "/wiht",
  code: "KEY_UNKNOWN",
  message: "`wiht` is not known here",
  suggestion: "with",
  severity: "fault",
};
const text = '{\n\t"a"wiht": 1,\r\n}';

test("people see where and what, the line with its place underlined, and what was meant", () => {
  assert.equal(
    formatFault(fault, '{\n   "wiht": 1,\r\n}', { colour: false }),
    [
      "flow.json:2:4 error `wiht` is not known here [KEY_UNKNOWN]",
      '  2 |    "wiht": 1,',
      "    |    ^^^^^^",
      "  did you mean with?",
    ].join("\n"),
  );
});

test("colours add nothing but colours", () => {
  const coloured = formatFault(fault, text, { colour: true });
  assert.notEqual(coloured, formatFault(fault, text, { colour: false }));
  assert.equal(stripVTControlCharacters(coloured), formatFault(fault, text, { colour: false }));
});

test("tabs and the end of the line keep the mark in its place", () => {
  const [, line, mark] = formatFault({ ...fault, column: 5, length: 4 }, text, { colour: false }).split("\n");
  assert.equal(line, '  2 |  "a"wiht": 1,');
  assert.equal(mark!.indexOf("^"), line!.indexOf("wiht"));
});

test("of a very long line the part around the place is shown", () => {
  const long = `${"a".repeat(500)}HERE${"b".repeat(500)}`;
  const shown = formatFault({ ...fault, line: 1, column: 501, length: 4 }, long, { colour: false }).split("\n");
  assert.ok(shown[1]!.length < 200);
  assert.equal(shown[2]!.indexOf("^"), shown[1]!.indexOf("HERE"));
  assert.match(shown[2]!, /^ +\| +\^{4}$/);
});

test("a mark never goes beyond what is shown", () => {
  const shown = formatFault({ ...fault, line: 1, column: 2, length: 5000 }, "x".repeat(5000), { colour: false });
  const [, line, mark] = shown.split("\n");
  assert.ok(mark!.length <= line!.length);
});

test("control characters in a document do not reach the terminal", () => {
  const evil = "\u001b[31mred\u0007\u009b\r";
  const hostile = { ...fault, file: evil, line: 1, column: 1, message: evil, suggestion: evil };
  const shown = formatFault(hostile, `"${evil}"`, { colour: false });
  assert.doesNotMatch(shown.replaceAll("\n", ""), /\p{Cc}/u);
});

test("a note is called one, and where nothing is suggested the remedy of its code follows", () => {
  const { suggestion: _, ...plain } = fault;
  assert.equal(
    formatFault({ ...plain, severity: "note" }, undefined, { colour: false }),
    `flow.json:2:4 note \`wiht\` is not known here [KEY_UNKNOWN]\n  ${faultCatalogue.KEY_UNKNOWN.remedy}`,
  );
});

test("for programs a fault is one line of JSON, with a severity only where it is a note", () => {
  assert.deepEqual(JSON.parse(faultAsJson(fault)), {
    file: "flow.json",
    line: 2,
    column: 4,
    pointer: "/wiht",
    code: "KEY_UNKNOWN",
    message: "`wiht` is not known here",
    suggestion: "with",
  });
  const { suggestion: _, ...plain } = fault;
  const line = faultAsJson({ ...plain, message: "two\nlines", severity: "note" });
  assert.doesNotMatch(line, /\n/);
  assert.equal(JSON.parse(line).severity, "note");
  assert.ok(!("suggestion" in JSON.parse(line)));
});
