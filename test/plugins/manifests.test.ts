// A host trusts the schemas in the manifests of its own plugins without looking; so they are looked at here.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkManifest } from "../../host/documents/check-manifest.ts";
import { readDocument } from "../../host/documents/document.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folders = [
  "host/builtin",
  ...readdirSync(`${root}plugins`)
    .map((name) => `plugins/${name}`)
    .filter((folder) => existsSync(`${root}${folder}/plugin.json`)),
];

for (const folder of folders) {
  test(`the manifest of ${folder} has no fault, its schemas included`, () => {
    const { document, faults } = readDocument(`${root}${folder}/plugin.json`);
    assert.deepEqual(faults, []);
    assert.deepEqual(checkManifest(document!), []);
  });
}

test("a schema that is none is a fault, unless it is known to be sound", () => {
  const { document } = readDocument(`${root}plugins/mqtt/plugin.json`);
  const broken = structuredClone(document!.value) as { config: object };
  broken.config = { type: "objekt" };
  const changed = { ...document!, value: broken as never };
  assert.deepEqual(
    checkManifest(changed).map(({ code }) => code),
    ["SCHEMA_INVALID"],
  );
  assert.deepEqual(checkManifest(changed, { known: true }), []);
});
