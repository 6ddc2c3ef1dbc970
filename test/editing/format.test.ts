import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parseDocument } from "../../host/documents/document.ts";
import { formatDocument } from "../../host/editing/format.ts";
import { gantry } from "../commands/gantry.ts";

const formatted = (text: string) => formatDocument(parseDocument("document.json", text).document!);

test("what fits into a line stands in one, the rest is indented by two, and the top is always open", () => {
  const long = "x".repeat(85);
  assert.equal(
    formatted(`{"name":"a","on":[{"trigger":"t"}],"steps":[{"uses":"p/s","with":{"text":"${long}"}}],"vars":{}}`),
    [
      "{",
      '  "name": "a",',
      '  "on": [{ "trigger": "t" }],',
      '  "steps": [',
      "    {",
      '      "uses": "p/s",',
      `      "with": { "text": "${long}" }`,
      "    }",
      "  ],",
      '  "vars": {}',
      "}",
      "",
    ].join("\n"),
  );
});

test("numbers and texts stay as they are spelt, and a byte order mark goes", () => {
  assert.equal(formatted('\ufeff[1.0, 1e3, "\\u00e9", -0]'.replace("\ufeff", "")), '[1.0, 1e3, "\\u00e9", -0]\n');
});

test("whatever the layout was, it keeps its meaning and its order, and a second time changes nothing", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.nat(8), (json, indent) => {
      // Keys that are there twice are refused before.
      const text = JSON.stringify(JSON.parse(json), null, indent);
      const once = formatted(text);
      assert.equal(JSON.stringify(JSON.parse(once)), JSON.stringify(JSON.parse(text)));
      assert.equal(formatted(once), once);
      assert.equal(formatted(JSON.stringify(JSON.parse(text))), once, "the layout it came from shows");
    }),
    { numRuns: 500 },
  );
});

test("gantry format writes what has another layout, names it, and leaves what is broken alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-format-"));
  try {
    const [loose, broken, twice] = ["loose.json", "broken.json", "twice.json"].map((name) => join(folder, name));
    writeFileSync(loose!, '{"name":"a",\n"steps":[]}', { mode: 0o640 });
    writeFileSync(broken!, '{"name": "a",}');
    writeFileSync(twice!, '{"name": "a", "name": "b"}');
    const checked = await gantry("format", "--check", loose!);
    assert.deepEqual([checked.code, checked.stdout], [1, `${loose} has another layout\n`]);
    assert.equal(readFileSync(loose!, "utf8"), '{"name":"a",\n"steps":[]}');
    const written = await gantry("format", loose!, broken!, twice!);
    assert.equal(written.code, 1);
    assert.equal(written.stdout, `${loose}\n`);
    assert.match(written.stderr, /broken\.json:1:13.*\n[\s\S]*twice\.json:1:15/);
    assert.equal(readFileSync(loose!, "utf8"), '{\n  "name": "a",\n  "steps": []\n}\n');
    assert.equal(statSync(loose!).mode & 0o777, 0o640);
    assert.equal(readFileSync(broken!, "utf8"), '{"name": "a",}');
    const again = await gantry("format", "--check", loose!);
    assert.deepEqual([again.code, again.stdout], [0, ""]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
