import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { faultCatalogue } from "../../host/documents/fault.ts";

const tests = fileURLToPath(new URL("../", import.meta.url));

test("every code of a fault is expected by some test or by the expectation of some document", () => {
  const sources = globSync(["**/*.test.ts", "fixtures/**/*.expected.json"], { cwd: tests }).filter(
    (name) => !name.endsWith("fault-codes.test.ts"),
  );
  const words = new Set(
    sources.flatMap((name) => readFileSync(`${tests}${name}`, "utf8").match(/[A-Z]+(?:_[A-Z]+)*/g) ?? []),
  );
  assert.deepEqual(
    Object.keys(faultCatalogue).filter((code) => !words.has(code)),
    [],
  );
});

test("every code is described, and its remedy says what to do", () => {
  for (const [code, { description, remedy }] of Object.entries(faultCatalogue)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.match(description, /^[A-Z].*\.$/s, code);
    assert.match(remedy, /^[A-Z].*\.$/s, code);
  }
});
