// scripts/test.ts on small test files outside of the repository.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../host/testing/wait-for.ts";
import { Command } from "./small-package.ts";

const program = fileURLToPath(new URL("../../scripts/test.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gantry-tests-"));
after(() => rmSync(folder, { recursive: true }));

// The runner would take these tests for part of the one that runs this file.
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

function file(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `import { test } from "node:test";\n${body}\n`);
  return path;
}

const passes = file("passes.test.ts", `test("it holds", () => {});`);
const fails = file("fails.test.ts", `test("it does not hold", () => { throw new Error("no"); });`);
const empty = file("empty.test.ts", "");

test("what passes ends with node's summary and exit code 0", async (t) => {
  const run = new Command(t, process.execPath, [program, passes], { env });
  assert.deepEqual(await run.ended(), { code: 0, signal: null }, run.stdout + run.stderr);
  assert.match(run.stdout, /✔ it holds[\s\S]*tests 1\n[\s\S]*duration_ms [\d.]+\n$/);
});

test("one failure among others gives exit code 1", async (t) => {
  const run = new Command(t, process.execPath, [program, passes, fails], { env });
  assert.equal((await run.ended()).code, 1);
  assert.match(run.stdout, /✖ it does not hold/);
});

test("without a single test it fails: no file, a file without tests, a name that matches none", async (t) => {
  const cases: [args: string[], words: RegExp][] = [
    [[join(folder, "nothing-*.test.ts")], /no test file matches/],
    [[empty], /no test ran/],
    [[passes, "--test-name-pattern=something else"], /no test ran/],
  ];
  for (const [args, words] of cases) {
    const run = new Command(t, process.execPath, [program, ...args], { env });
    assert.equal((await run.ended()).code, 1, run.stdout);
    assert.match(run.stderr, words);
  }
});

test("told to end, it ends the tests and what they have started", async (t) => {
  const hangs = file(
    "hangs.test.ts",
    `import { spawn } from "node:child_process";
test("it hangs", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  console.log("started " + child.pid);
  await new Promise((end) => setTimeout(end, 100_000));
});`,
  );
  const run = new Command(t, process.execPath, [program, hangs], { env });
  const [, pid] = await waitFor("the test", () => /started (\d+)/.exec(run.stdout));
  process.kill(Number(pid), 0);
  run.child.kill("SIGTERM");
  assert.notEqual((await run.ended()).code, 0);
  await waitFor("the end of the process", () => {
    try {
      return !process.kill(Number(pid), 0);
    } catch {
      return true;
    }
  });
});
