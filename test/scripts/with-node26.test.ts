// A small package with real installations by npm, from a tarball that lies beside it.

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { waitFor } from "../../host/testing/wait-for.ts";
import { Command, makeSmallPackage } from "./small-package.ts";

const settingUp = "setting up node_modules";
const programs = {
  "hello.mjs": `import { createRequire } from "node:module";
const lamp = createRequire(import.meta.url)("lamp/package.json");
console.log(["hello", lamp.version, ...process.argv.slice(2)].join(" "));`,
  "exit.mjs": "process.exit(Number(process.argv[2]));",
  "wait.mjs": `setInterval(() => {}, 1000); console.log("waiting");`,
  "polite.mjs": `setInterval(() => {}, 1000);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => { console.log("told " + signal); setTimeout(() => process.exit(5), 50); });
console.log("waiting");`,
};

test("the first run sets up node_modules and says so on standard error alone; the second finds it there", async (t) => {
  const small = makeSmallPackage(t, programs);
  const first = small.start("hello.mjs", "you", "there");
  assert.deepEqual(await first.ended(), { code: 0, signal: null }, first.stderr);
  assert.equal(first.stdout, "hello 1.0.0 you there\n");
  assert.ok(first.stderr.includes(settingUp), first.stderr);
  const second = small.start("hello.mjs");
  assert.equal((await second.ended()).code, 0);
  assert.equal(second.stderr, "");
});

test("an installation that was cut short, or is older than the lock file, is made again", async (t) => {
  const small = makeSmallPackage(t, programs);
  await small.start("hello.mjs").ended();
  // npm writes this file last.
  const installed = join(small.path, "node_modules/.package-lock.json");
  const complete = readFileSync(installed, "utf8");
  rmSync(installed);
  const cutShort = small.start("hello.mjs");
  assert.equal((await cutShort.ended()).code, 0);
  assert.ok(cutShort.stderr.includes(settingUp));
  writeFileSync(installed, complete.replace("1.0.0", "0.9.0"));
  const older = small.start("hello.mjs");
  assert.equal((await older.ended()).code, 0);
  assert.ok(older.stderr.includes(settingUp));
});

test("of first runs that begin together one sets up, and the others wait for it", async (t) => {
  const small = makeSmallPackage(t, programs);
  const runs = [1, 2, 3].map(() => small.start("hello.mjs"));
  for (const run of runs) {
    assert.equal((await run.ended()).code, 0, run.stderr);
    assert.equal(run.stdout, "hello 1.0.0\n");
  }
  assert.equal(runs.filter(({ stderr }) => stderr.includes(settingUp)).length, 1);
  assert.equal(existsSync(join(small.path, ".setup.lock")), false);
});

test("a lock that a killed process has left behind is taken over", async (t) => {
  const small = makeSmallPackage(t, programs);
  const lock = join(small.path, ".setup.lock");
  writeFileSync(lock, "of somebody who is gone");
  const minuteAgo = new Date(Date.now() - 60_000);
  utimesSync(lock, minuteAgo, minuteAgo);
  const run = small.start("hello.mjs");
  assert.equal((await run.ended()).code, 0);
  assert.equal(run.stdout, "hello 1.0.0\n");
  assert.equal(existsSync(lock), false);
});

test("a lock that is held stays with its holder, however long it works", async (t) => {
  const small = makeSmallPackage(t, programs);
  const holder = `import { withLock } from ${JSON.stringify(join(small.path, "scripts/lock-file.mjs"))};
await withLock(".setup.lock", async () => { console.log("held"); await new Promise((free) => process.once("SIGUSR2", free)); });
console.log("freed");`;
  writeFileSync(join(small.path, "holder.mjs"), holder);
  const holding = new Command(t, process.execPath, ["holder.mjs"], { cwd: small.path });
  await waitFor("the lock", () => holding.stdout.includes("held"));
  const lock = join(small.path, ".setup.lock");
  const minuteAgo = new Date(Date.now() - 60_000);
  utimesSync(lock, minuteAgo, minuteAgo);
  await waitFor("the holder's touch", () => Date.now() - statSync(lock).mtimeMs < 30_000);
  const run = small.start("hello.mjs");
  holding.child.kill("SIGUSR2");
  assert.equal((await holding.ended()).code, 0);
  assert.equal((await run.ended()).code, 0);
  assert.equal(run.stdout, "hello 1.0.0\n");
});

test("what npm cannot install ends the run with npm's words", async (t) => {
  const small = makeSmallPackage(t, programs);
  // Another one than in the lock file.
  writeFileSync(join(small.path, "package.json"), JSON.stringify({ name: "small", dependencies: { lamp: "2.0.0" } }));
  const run = small.start("hello.mjs");
  assert.equal((await run.ended()).code, 1);
  assert.equal(run.stdout, "");
  assert.match(run.stderr, /npm error[\s\S]*lamp[\s\S]*npm ci failed/);
  assert.equal(existsSync(join(small.path, ".setup.lock")), false);
});

test("it ends with the code of the program", async (t) => {
  const small = makeSmallPackage(t, programs);
  assert.deepEqual(await small.start("exit.mjs", "7").ended(), { code: 7, signal: null });
  assert.deepEqual(await small.start("exit.mjs", "0").ended(), { code: 0, signal: null });
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} goes on to the program, whose end is its own`, async (t) => {
    const small = makeSmallPackage(t, programs);
    const polite = small.start("polite.mjs");
    await waitFor("the program", () => polite.stdout.includes("waiting"));
    polite.child.kill(signal);
    assert.deepEqual(await polite.ended(), { code: 5, signal: null });
    assert.equal(polite.stdout, `waiting\ntold ${signal}\n`);
    const plain = small.start("wait.mjs");
    await waitFor("the program", () => plain.stdout.includes("waiting"));
    plain.child.kill(signal);
    assert.deepEqual(await plain.ended(), { code: null, signal });
  });
}
