// What a manifest declares is thrown by the plugin's code and provoked by its tests.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

function sourcesOf(path: string): string {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:ts|json)$/.test(name) && !name.endsWith("plugin.json"))
    .map((name) => readFileSync(join(path, name), "utf8"))
    .join("\n");
}

for (const plugin of [
  "download",
  "verify",
  "archive",
  "files",
  "http",
  "script",
  "things",
  "software-update",
  "file-upload",
  "upload-http",
  "upload-s3",
  "upload-azure",
])
  test(`every error that ${plugin} declares is thrown by it and provoked by a test, and no other is`, () => {
    const manifest = JSON.parse(readFileSync(join(folder(`plugins/${plugin}`), "plugin.json"), "utf8"));
    const declared = Object.keys(manifest.errors).sort();
    const prefix = plugin.toUpperCase().replaceAll("-", "_");
    const named = (source: string) =>
      [...new Set(source.match(new RegExp(`"${prefix}_[A-Z_0-9]+"`, "g")))].map((text) => text.slice(1, -1));
    // Its documents throw one of its errors themselves.
    const shipped = plugin === "file-upload" ? sourcesOf(folder("workflows")) : "";
    assert.deepEqual(named(sourcesOf(folder(`plugins/${plugin}`)) + shipped).sort(), declared);
    assert.deepEqual(named(sourcesOf(folder(`test/plugins/${plugin}`))).sort(), declared);
  });
