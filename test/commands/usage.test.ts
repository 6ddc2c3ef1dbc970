import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { execute, gantry } from "./gantry.ts";

const bin = fileURLToPath(new URL("../../bin/gantry", import.meta.url));

const mistakes: [what: string, args: string[], said: RegExp][] = [
  ["an unknown command", ["rnus"], /unknown command 'rnus'[\s\S]*Did you mean .*runs/],
  ["an unknown option", ["runs", "--jsno"], /unknown option '--jsno'[\s\S]*Did you mean --json/],
  ["a missing argument", ["show"], /missing required argument 'run'/],
  ["an argument too many", ["up", "now"], /too many arguments/],
  ["a value that is not among the choices", ["up", "--log-level", "loud"], /Allowed choices are debug, info/],
  ["a state that no run has", ["runs", "--status", "failed", "done"], /argument 'done' is invalid.*queued, running/],
  ["a number that is none", ["runs", "--limit", "many"], /'--limit <count>'.*whole number above zero/],
  ["a number that is too small", ["runs", "--limit", "0"], /whole number above zero/],
];

for (const [what, args, said] of mistakes) {
  test(`${what} is a mistake of usage: exit code 2, and the reason on standard error`, async () => {
    const { code, stdout, stderr } = await gantry(...args);
    assert.match(stderr, said);
    assert.equal(code, 2);
    assert.equal(stdout, "");
  });
}

test("no command at all shows the help, with exit code 2", async () => {
  const { code, stderr } = await gantry();
  assert.match(stderr, /Usage: gantry[\s\S]*validate/);
  assert.equal(code, 2);
});

test("help and version are answers, not mistakes", async () => {
  const help = await gantry("--help");
  assert.match(help.stdout, /Usage: gantry[\s\S]*up[\s\S]*validate[\s\S]*run[\s\S]*runs[\s\S]*show/);
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  assert.deepEqual(await gantry("--version"), { code: 0, stdout: `${packageJson.version}\n`, stderr: "" });
});

test("bin/gantry finds its package through links, relative ones too", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-bin-"));
  t.after(() => rmSync(folder, { recursive: true }));
  symlinkSync(bin, join(folder, "absolute"));
  symlinkSync("absolute", join(folder, "relative"));
  for (const program of [bin, join(folder, "absolute"), join(folder, "relative")])
    assert.deepEqual(await execute(program, "--version"), { code: 0, stdout: `${packageJson.version}\n`, stderr: "" });
  assert.equal((await execute(join(folder, "relative"), "rnus")).code, 2);
});
