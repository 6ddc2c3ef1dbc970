// The unit files in docs/ are what systemd understands, and the one of docs/plugins.md closes what it is there to close.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { needs } from "../support/parts.ts";

const docs = fileURLToPath(new URL("../../docs/", import.meta.url));
const skip = needs("systemd-analyze");
const units = readdirSync(docs)
  .filter((name) => name.endsWith(".md"))
  .flatMap((page) => {
    const blocks = readFileSync(join(docs, page), "utf8").matchAll(/^```ini\n(\[(?:Unit|Service)\]\n.*?)^```$/gms);
    return [...blocks].map(([, text]) => ({ page, text: text! }));
  });

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "gantry-units-"));
});
after(() => rmSync(folder, { recursive: true }));

function analyze(text: string, ...args: string[]) {
  const file = join(folder, "gantry.service");
  // Gantry is not installed here.
  writeFileSync(file, text.replaceAll("/usr/bin/gantry", "/bin/true"));
  return spawnSync("systemd-analyze", [...args, file], { encoding: "utf8" });
}

test("there are unit files to hold", () => {
  assert.deepEqual(units.map(({ page }) => page).sort(), ["plugins.md", "running.md"]);
});

for (const { page, text } of units)
  test(`systemd finds nothing wrong with the unit file of ${page}`, { skip }, () => {
    const { status, stderr } = analyze(text, "verify");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(analyze(text.replace("Restart=", "Restrat="), "verify").stderr, /Restrat/);
  });

test("the unit file of plugins.md leaves a service little to do harm with", { skip }, () => {
  const exposure = (text: string) =>
    Number(/Overall exposure level for .*: ([\d.]+)/.exec(analyze(text, "security", "--offline=true").stdout)?.[1]);
  const [closed, open] = ["plugins.md", "running.md"].map((page) =>
    exposure(units.find((unit) => unit.page === page)!.text),
  );
  // From 0 to 10; below 3 is what systemd calls OK.
  assert.ok(closed! < 3 && open! > 8, `${closed} and ${open}`);
});
