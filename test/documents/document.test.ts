import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { maxDocumentBytes } from "../../host/documents/decode.ts";
import { parseDocument, readDocument } from "../../host/documents/document.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-documents-"));
after(() => rmSync(folder, { recursive: true }));

function read(bytes: string | Uint8Array) {
  const file = join(folder, "document.json");
  writeFileSync(file, bytes);
  const { document, faults } = readDocument(file);
  return { value: document?.value, faults: faults.map(({ line, column, code }) => `${line}:${column} ${code}`) };
}

test("a byte order mark is accepted and counts in no column", () => {
  assert.deepEqual(read('\ufeff{ "a": 1 }'), { value: { a: 1 }, faults: [] });
  assert.deepEqual(read('\ufeff{ "a": x }').faults, ["1:8 SYNTAX"]);
});

test("UTF-16, with and without a byte order mark, gives one fault", () => {
  const text = '{ "name": "wide" }';
  const little = Buffer.from(text, "utf16le");
  const big = Buffer.from(little).swap16();
  for (const bytes of [
    Buffer.concat([Buffer.from([0xff, 0xfe]), little]),
    Buffer.concat([Buffer.from([0xfe, 0xff]), big]),
    little,
    big,
  ])
    assert.deepEqual(read(bytes), { value: undefined, faults: ["1:1 DOCUMENT_ENCODING"] });
});

test("invalid UTF-8 gives one fault where it begins", () => {
  const before = Buffer.from('\ufeff{\r\n  "ä\ufffd": "');
  for (const wrong of [[0xe4], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0xc0, 0x80]])
    assert.deepEqual(read(Buffer.concat([before, Buffer.from(wrong), Buffer.from('" }')])), {
      value: undefined,
      faults: ["2:10 DOCUMENT_ENCODING"],
    });
});

test("a document has at most 1 MiB, and may have just that", () => {
  const filled = (length: number) => `{"a":"${"x".repeat(length - 8)}"}`;
  assert.equal(read(filled(maxDocumentBytes)).faults.length, 0);
  assert.deepEqual(read(filled(maxDocumentBytes + 1)), { value: undefined, faults: ["1:1 DOCUMENT_TOO_LARGE"] });
});

test("objects and lists may be nested 64 deep; the first one deeper is the fault", () => {
  const nested = (depth: number) => `\n${"[".repeat(depth)}"[{[{"${"]".repeat(depth)}`;
  assert.deepEqual(read(nested(64)).faults, []);
  assert.deepEqual(read(nested(65)), { value: undefined, faults: ["2:65 DOCUMENT_TOO_DEEP"] });
  assert.deepEqual(read("[".repeat(500_000)).faults, ["1:65 DOCUMENT_TOO_DEEP"]);
  assert.deepEqual(read('{"a":'.repeat(100_000)).faults, ["1:321 DOCUMENT_TOO_DEEP"]);
});

test("a file that cannot be read is a fault of its own", () => {
  for (const file of [join(folder, "missing.json"), folder]) {
    const { document, faults } = readDocument(file);
    assert.equal(document, undefined);
    assert.deepEqual(
      faults.map(({ code, line, column }) => [code, line, column]),
      [["FILE_UNREADABLE", 1, 1]],
    );
  }
});

test("keys with names from Object.prototype are read as they are, and found again when they come twice", () => {
  const { document, faults } = parseDocument("a.json", '{ "__proto__": { "a": 1 }, "toString": 2 }');
  assert.deepEqual(faults, []);
  assert.deepEqual(Object.keys(document!.value as object), ["__proto__", "toString"]);
  assert.equal(({} as Record<string, unknown>).a, undefined);
  const twice = parseDocument("a.json", '{ "__proto__": 1, "__proto__": 2, "valueOf": 3 }').faults;
  assert.deepEqual(
    twice.map(({ code, column, pointer }) => [code, column, pointer]),
    [["KEY_DUPLICATE", 19, "/__proto__"]],
  );
});

const mistakes: [text: string, column: number, message: RegExp][] = [
  ['{ "a": 1, }', 9, /^no comma may stand before }$/],
  ["[1,\n]", 3, /^no comma may stand before ]$/],
  ['{ "a": 1 // one\n}', 10, /^JSON has no comments/],
  ["# one\n{}", 1, /^JSON has no comments/],
  ["/* one */ {}", 1, /^JSON has no comments/],
  ['{ "a": 1 /* one', 10, /^JSON has no comments/],
  ["{ 'a': 1 }", 3, /^texts stand in double quotes/],
  ['{ "a": `b` }', 8, /^texts stand in double quotes/],
  ["{ \u201ca\u201d: 1 }", 3, /^texts stand in double quotes/],
  ["{ a: 1 }", 3, /^a is no JSON; texts stand in double quotes/],
  ['{ "a": [1, 2 }', 14, /^] is expected here, since the last that was opened is \[$/],
  ['{ "a": { "b": 1 }', 1, /^this { is never closed$/],
  ['{ "a": "b }', 8, /^this text is not closed by "/],
  ['{ "a": 1 } {}', 12, /^the document has ended before this/],
  ['{ "a": 1 };', 11, /^the document has ended before this/],
  ['{ "a": 1; "b": 2 }', 9, /^a comma or colon is expected here, and no ;$/],
  ['{ "a" = 1 }', 7, /^a colon is expected here$/],
  ['{ "a": "b" + "c" }', 12, /^JSON cannot join values/],
  ['["a": 1]', 5, /^a list has no keys/],
  ['{ "a": NaN }', 8, /^NaN is no number in JSON$/],
  ['{ "a": -Infinity }', 8, /^-Infinity is no number in JSON$/],
  ['{ "a": undefined }', 8, /^undefined is no JSON; it is written null$/],
  ['{ "a": True }', 8, /^True is no JSON; it is written true$/],
  ['{ "a": flase }', 8, /^flase is no JSON; it is written false$/],
  ['{ "a": 0x10 }', 8, /^0x10 is no number as JSON writes them/],
  ['{ "a":\u00a01 }', 7, /^the character U\+00A0 cannot stand here/],
  ['{ \ufeff"a": 1 }', 3, /^the character U\+FEFF cannot stand here/],
];

for (const [text, column, message] of mistakes)
  test(`${JSON.stringify(text)} is one mistake, in words`, () => {
    const { document, faults } = parseDocument("a.json", text);
    assert.equal(document, undefined);
    assert.deepEqual(
      faults.map((fault) => [fault.code, fault.line, fault.column]),
      [["SYNTAX", 1, column]],
    );
    assert.match(faults[0]!.message, message);
  });

test("whatever a file holds, either JSON can read it or there is exactly one fault inside it", () => {
  const pieces = fc.constantFrom(
    ..."{}[]\",:'\\/*-+.eE01 \n\r\t\u00a0\ufeffnuäx".split(""),
    '"a"',
    "true",
    "\\u00",
    "//",
    "1e5",
  );
  const almost = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(""));
  const cut = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", "]", '"', "'", "x", ":", "0", "\\", "\n"), fc.boolean())
    .map(([text, at, put, drop]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + (drop ? 1 : 0));
    });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), almost, cut), (text) => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        value = undefined;
      }
      const { document, faults } = parseDocument("any.json", text);
      assert.deepEqual(document?.value, value);
      const serious = faults.filter(({ code }) => code !== "KEY_DUPLICATE");
      assert.equal(serious.length, value === undefined ? 1 : 0);
      for (const { line, column, length, message } of faults) {
        const lines = text.split("\n");
        assert.ok(line >= 1 && line <= lines.length);
        assert.ok(column >= 1 && column <= lines[line - 1]!.length + 1);
        assert.ok(length >= 1 && message.length > 5 && !message.includes("undefined"));
      }
    }),
    { numRuns: 3000 },
  );
});
