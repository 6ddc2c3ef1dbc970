// docs/first-mistakes.md: each mistake is made in the example that stands in docs/workflows.md under the same heading, and
// `gantry validate` has to say just what the page shows.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** By heading, what stands below. */
function sectionsOf(page: string): Map<string, string> {
  const [, ...sections] = readFileSync(`${root}docs/${page}`, "utf8").split(/^## /m);
  return new Map(sections.map((section) => [section.slice(0, section.indexOf("\n")), section]));
}

const examplesIn = (section: string) => [...section.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text]) => text!);

const tutorial = sectionsOf("workflows.md");
const mistakes = [...sectionsOf("first-mistakes.md")].flatMap(([heading, section]) =>
  [...section.matchAll(/^```diff\n-([^\n]*)\n\+([^\n]*)\n```\n\n```text\n((\S+\.json):.*?)^```$/gms)].map(
    ([, right, wrong, shown, file]) => ({ heading, right: right!, wrong: wrong!, shown: shown!, file: file! }),
  ),
);

test("each step of the tutorial is made wrong at least once", () => {
  const steps = [...tutorial].filter(([, section]) => examplesIn(section).length > 0).map(([heading]) => heading);
  assert.ok(steps.length >= 11);
  assert.deepEqual([...new Set(mistakes.map(({ heading }) => heading))], steps);
  const diffs = readFileSync(`${root}docs/first-mistakes.md`, "utf8").split("```diff").length - 1;
  assert.equal(mistakes.length, diffs, "each mistake has what comes of it");
});

test("what gantry validate says to each mistake is what the page shows", () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-mistakes-"));
  try {
    const place = join(folder, "mistakes");
    for (const name of ["examples", "mistakes"]) mkdirSync(join(folder, name));
    for (const text of [...tutorial.values()].flatMap(examplesIn))
      writeFileSync(join(folder, `examples/${JSON.parse(text).name}.json`), text);
    const plugins = ["mqtt", "script", "download"].map((plugin) => ({ plugin }));
    writeFileSync(join(folder, "plugins.json"), JSON.stringify({ workflows: ["./examples"], plugins }));
    for (const { heading, right, wrong, file } of mistakes) {
      const meant = examplesIn(tutorial.get(heading)!).filter((text) => text.split(right).length === 2);
      assert.equal(meant.length, 1, `${right} stands once in one example of ${heading}`);
      writeFileSync(
        join(place, file),
        meant[0]!.replace(right, () => wrong),
      );
    }
    const files = mistakes.map(({ file }) => file);
    assert.equal(new Set(files).size, files.length, "each has a file of its own");
    const args = [`${root}host/main.ts`, "validate", "--config", "../plugins.json", ...files];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: place, encoding: "utf8" });
    assert.equal(status, 1);
    const told = stdout.trimEnd().split("\n\n");
    assert.match(told.pop()!, new RegExp(`^${mistakes.length - 1} errors; `), "one of them is no fault");
    assert.deepEqual(
      told,
      mistakes.map(({ shown }) => shown.trimEnd()),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
