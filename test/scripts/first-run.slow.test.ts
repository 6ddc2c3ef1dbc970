// A copy of this repository without packages, and the Node of the system, whatever it is: what a newcomer has.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative, sep } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Command } from "./small-package.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const path = systemPath();
const systemNode = path.split(delimiter).find((folder) => existsSync(join(folder, "node")));
const skip = systemNode === undefined ? "needs a node outside of node_modules" : false;
const env = systemEnvironment();
let copy: string;

before(() => {
  copy = realpathSync(mkdtempSync(join(tmpdir(), "gantry-first-run-")));
  const left = new Set([".git", "node_modules", "data"]);
  cpSync(root, copy, { recursive: true, filter: (file) => !left.has(relative(root, file).split(sep)[0]!) });
});
after(() => rmSync(copy, { recursive: true }));

test("the first npm script of a fresh copy installs what the lock file says and runs under Node 26", {
  skip,
}, async (t) => {
  const lockFile = execFileSync("sha256sum", ["package-lock.json"], { cwd: copy, encoding: "utf8" });
  const first = new Command(t, "npm", ["run", "--silent", "gantry", "--", "--version"], { cwd: copy, env });
  assert.equal((await first.ended()).code, 0, first.stderr);
  assert.equal(first.stdout, "0.1.0\n");
  assert.match(first.stderr, /setting up node_modules/);
  assert.equal(execFileSync("sha256sum", ["package-lock.json"], { cwd: copy, encoding: "utf8" }), lockFile);

  const version = new Command(t, "node", ["scripts/with-node26.mjs", "-p", "process.version"], { cwd: copy, env });
  assert.equal((await version.ended()).code, 0, version.stderr);
  assert.match(version.stdout, /^v(2[6-9]|[3-9]\d)\./);
  assert.equal(version.stderr, "");
  assert.ok(existsSync(join(copy, "node_modules/.cache/gantry")), "no compile cache");
});

test("npm test runs the tests that are named, and fails where none is", { skip }, async (t) => {
  const named = new Command(t, "npm", ["test", "--silent", "--", "test/engine/plan.test.ts"], { cwd: copy, env });
  assert.equal((await named.ended()).code, 0, named.stdout + named.stderr);
  assert.match(named.stdout, /tests [1-9]\d*\n[\s\S]*fail 0\n/);
  const none = new Command(t, "npm", ["test", "--silent", "--", "test/no-such.test.ts"], { cwd: copy, env });
  assert.equal((await none.ended()).code, 1);
  assert.match(none.stderr, /no test file matches/);
});

/** Without the folders that npm puts first. */
function systemPath(): string {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.filter((folder) => !folder.includes("node_modules")).join(delimiter);
}

/** What npm, and node's test runner, tell their children is not for these. */
function systemEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|INIT_CWD)/.test(name));
  return { ...Object.fromEntries(kept), PATH: path };
}
