// What docs/plugins.md says of testing: its test runs on the tutorial's lamp, and its manifest is one.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkManifest } from "../../host/documents/check-manifest.ts";
import { parseDocument } from "../../host/documents/document.ts";
import { deedsBelow } from "./tutorial.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = join(root, "docs/plugins.md");

test("the test of the page passes, on the lamp of the tutorial", (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gantry-section-")));
  t.after(() => rmSync(folder, { recursive: true }));
  const deeds = ["### A step of your own", "### A host for tests"].flatMap((heading) => deedsBelow(page, heading));
  const files = deeds.filter((deed) => deed.kind === "file").filter(({ path }) => path.startsWith("plugins/lamp/"));
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  writeFileSync(join(folder, "plugins/lamp/package.json"), '{ "type": "module" }');
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/gantry"));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--test", "test/light.test.ts"], {
    cwd: join(folder, "plugins/lamp"),
    encoding: "utf8",
    // Otherwise a test that is run by a test does nothing.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /pass 2/);
});

test("the manifest with examples follows the schema", () => {
  const text = [...readFileSync(page, "utf8").matchAll(/^```json\n(.*?)^```$/gms)].find(([, json]) =>
    json!.includes('"untried"'),
  )![1]!;
  const manifest = { name: "lamp", version: "1.0.0", host: "^1.0.0", main: "index.ts", ...JSON.parse(text) };
  const { document, faults } = parseDocument("plugin.json", JSON.stringify(manifest));
  assert.deepEqual([...faults, ...checkManifest(document!)], []);
});
