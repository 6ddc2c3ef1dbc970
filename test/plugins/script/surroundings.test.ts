// What a program is given: input, rights, limits, and a file for its output.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { running } from "./running.ts";

const skip = process.getuid!() === 0 ? false : "needs root";

test("a text becomes standard input, whatever its size, and leaves no file", async () => {
  using step = running();
  assert.equal((await step.run(["cat"], { input: "one\ntwo" })).output, "one\ntwo");
  assert.equal((await step.shell("cat /dev/stdin", { input: "ü" })).output, "ü");
  assert.equal((await step.run(["cat"], { input: "" })).output, "");
  const large = "x".repeat(5_000_000);
  assert.equal((await step.run(["wc", "-c"], { input: large })).output.trim(), "5000000");
  // A program that does not read it is not held up.
  await step.run(["true"], { input: large });
  const left = readdirSync(step.context.directory).filter((name) => name.endsWith(".input"));
  assert.deepEqual(left, []);
});

test("the output is in a file of the run's folder, for the owner only, with beginning and end", async () => {
  using step = running({ maxOutputBytes: 1000 });
  const small = await step.shell("echo out; echo err >&2");
  assert.equal(readFileSync(small.outputFile, "utf8"), "out\nerr\n");
  assert.equal(statSync(small.outputFile).mode & 0o777, 0o600);
  assert.match(basename(small.outputFile), /^output-[0-9a-f]+\.log$/);
  const large = await step.shell("seq 1 100000");
  const kept = readFileSync(large.outputFile, "utf8");
  assert.ok(kept.startsWith("1\n2\n"));
  assert.ok(kept.endsWith("99999\n100000\n"));
  const total = Array.from({ length: 100_000 }, (_, index) => `${index + 1}\n`).join("").length;
  assert.match(kept, new RegExp(`\\[${total - 1000 - 16 * 1024} bytes are left out`));
  const failure = await step.refused(["/bin/sh", "-c", "echo why; exit 1"]);
  assert.equal(readFileSync(String(failure.details!.outputFile), "utf8"), "why\n");
});

test("an output file that cannot be written is said, and the program runs", async () => {
  using step = running();
  const { outputFile } = await step.run(["true"]);
  rmSync(outputFile);
  mkdirSync(`${outputFile}/full`, { recursive: true });
  assert.equal((await step.run(["echo", "works"])).output, "works");
  assert.ok(step.context.lines.some(({ level, text }) => level === "warn" && text.includes(outputFile)));
});

test("a program gets user, group and home of an allowed account, and its outputs can be opened", { skip }, async () => {
  using step = running({ users: ["nobody", "65534"], groups: ["daemon"] });
  chmodSync(step.context.directory, 0o755);
  const { output } = await step.shell('id -un; id -Gn; echo "$HOME $USER"; echo opened > /dev/stderr', {
    user: "nobody",
  });
  const home = readFileSync("/etc/passwd", "utf8").match(/^nobody:.*:([^:]*):[^:]*$/m)![1];
  assert.deepEqual(output.split("\n"), ["nobody", "nogroup", `${home} nobody`, "opened"]);
  assert.equal((await step.shell("id -u; id -gn", { user: "65534", group: "daemon" })).output, "65534\ndaemon");
  assert.equal((await step.shell("id -un; id -gn", { group: "daemon" })).output, "root\ndaemon");
});

test("an account that is not allowed, or does not exist, is refused, and nothing starts", async () => {
  using step = running({ users: ["nobody", "no-such-user"] });
  const codeOf = async (input: object) => (await step.refused(["touch", "begun"], { ...input })).code;
  assert.equal(await codeOf({ user: "root" }), "SCRIPT_USER_NOT_ALLOWED");
  assert.equal(await codeOf({ user: "nobody", group: "daemon" }), "SCRIPT_USER_NOT_ALLOWED");
  assert.equal(await codeOf({ user: "no-such-user" }), "SCRIPT_USER_UNKNOWN");
  assert.equal(await codeOf({ user: "nobody", group: "no-such-group" }), "SCRIPT_USER_UNKNOWN");
  assert.deepEqual(step.context.groups, []);
});

test("niceness and limit of memory hold for the program and its children", async () => {
  using step = running();
  assert.equal((await step.run(["nice"], { niceness: 7 })).output, "7");
  const { output } = await step.shell("ulimit -v; sh -c 'ulimit -v'", { memoryBytes: 100 << 20 });
  assert.equal(output, "102400\n102400");
  const hungry = ["/bin/sh", "-c", "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}"];
  const failure = await step.refused(hungry, { memoryBytes: 100 << 20 });
  assert.ok(["SCRIPT_FAILED", "SCRIPT_KILLED"].includes(failure.code), failure.code);
});

test("a host without the rights says so: of accounts, of niceness and of memory", { skip }, async () => {
  const program = fileURLToPath(new URL("without-rights.ts", import.meta.url));
  const node = [process.execPath, "--import", "tsx", program];
  const drop = ["--bounding-set=-setuid,-setgid,-sys_nice,-sys_resource"];
  const { stdout } = await promisify(execFile)("setpriv", [
    ...drop,
    "prlimit",
    "--as=80000000000:80000000000",
    ...node,
  ]);
  assert.deepEqual(JSON.parse(stdout), {
    user: "SCRIPT_USER_DENIED",
    niceness: "SCRIPT_LIMIT_REFUSED",
    memory: "SCRIPT_LIMIT_REFUSED",
  });
});

test("pipes are made once, used again, and none is left when a run has ended badly", async () => {
  using step = running();
  // One setup, as in a host.
  for (let round = 0; round < 5; round++) assert.equal((await step.run(["echo", `${round}`])).output, `${round}`);
  await step.refused(["echo", "x".repeat(200_000)]);
  assert.ok(readdirSync(step.file("pipes")).length <= 1);
});
