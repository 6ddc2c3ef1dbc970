// Each document of fixtures/broken has an `.expected.json` beside it: where its faults stand, and what was meant. They
// were marked by hand in the documents; no output of the checker went into them.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { faultCatalogue } from "../../host/documents/fault.ts";
import { checkFile, type Kind } from "./check-file.ts";

interface Expected {
  line: number;
  column: number;
  code: string;
  suggestion?: string;
}

const folder = fileURLToPath(new URL("../fixtures/broken/", import.meta.url));
const kinds: Record<string, Kind> = {
  syntax: "workflow",
  workflows: "workflow",
  manifests: "manifest",
  configurations: "configuration",
};
const documents = globSync("*/*.json", { cwd: folder })
  .filter((name) => !name.endsWith(".expected.json"))
  .sort();

for (const name of documents) {
  test(`${name} has exactly the faults that its expectation lists`, () => {
    const file = `${folder}${name}`;
    const expected = JSON.parse(readFileSync(file.replace(/\.json$/, ".expected.json"), "utf8")) as Expected[];
    const faults = checkFile(file, kinds[dirname(name)]!);
    assert.deepEqual(listed(faults), listed(expected));
    for (const { pointer, message, severity, code } of faults) {
      assert.match(pointer, /^(\/|$)/);
      assert.match(message, /^\S[^\n]*\S$/, "a message is one line");
      assert.equal(severity, "fault");
      assert.ok(Object.hasOwn(faultCatalogue, code));
    }
  });
}

test("many documents are broken, and many of them in several places", () => {
  const counts = documents.map(
    (name) => (JSON.parse(readFileSync(`${folder}${name.replace(/\.json$/, ".expected.json")}`, "utf8")) as []).length,
  );
  assert.ok(documents.length >= 275, `${documents.length} documents`);
  assert.ok(counts.filter((count) => count > 1).length >= 105);
  const expectations = globSync("*/*.expected.json", { cwd: folder }).map((name) => basename(name));
  assert.equal(expectations.length, documents.length);
});

function listed(faults: Expected[]): string[] {
  return faults
    .toSorted((a, b) => a.line - b.line || a.column - b.column || a.code.localeCompare(b.code))
    .map(({ line, column, code, suggestion }) => `${line}:${column} ${code}${suggestion ? ` ${suggestion}?` : ""}`);
}
