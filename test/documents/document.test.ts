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
