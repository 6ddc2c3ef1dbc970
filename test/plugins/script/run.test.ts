import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { planStep } from "../../support/step-context.ts";
import { ending, running } from "./running.ts";

test("a program runs in its directory, and what it writes becomes output and lines of the log", async () => {
  using step = running();
  const result = await step.shell("pwd; echo to standard error >&2; printf 'without an end'");
  const lines = [step.context.directory, "to standard error", "without an end"];
  assert.deepEqual(ending(result), { exitCode: 0, output: lines.join("\n") });
  assert.deepEqual(
    step.context.lines.map(({ text }) => text),
    lines,
  );
});

test("both outputs stay in order", async () => {
  using step = running();
  const numbers = Array.from({ length: 200 }, (_, index) => `${index}`);
  const { output } = await step.shell(
    "n=0; while [ $n -lt 200 ]; do echo $n; n=$((n+1)); echo $n >&2; n=$((n+1)); done",
  );
  assert.deepEqual(output.split("\n"), numbers);
});

test("scripts that open /dev/stdout and /dev/stderr may do so", async () => {
  using step = running();
  const { output } = await step.shell(
    "set -e; echo one > /dev/stderr; echo two | tee /dev/stderr; echo three > /dev/stdout",
  );
  assert.equal(output, "one\ntwo\ntwo\nthree");
});

test("arguments with spaces, quotes, stars and $( ) arrive as they are", async () => {
  using step = running();
  const args = [
    "a b",
    "",
    `"'`,
    "$(touch hacked)",
    "`touch hacked`",
    "*",
    "; touch hacked",
    "$HOME",
    "\\n",
    "ü\n𝄞",
    "-n",
    "--",
  ];
  const { output } = await step.run([
    process.execPath,
    "-e",
    "console.log(JSON.stringify(process.argv.slice(1)))",
    "--",
    ...args,
  ]);
  assert.deepEqual(JSON.parse(output), args);
  assert.ok(!step.exists("hacked"));
});

test("a program is found by PATH, by an absolute path, and relative to its directory", async () => {
  using step = running();
  const path = step.write("install.sh", "#!/bin/sh\necho installed $1\n");
  for (const command of [
    ["echo", "installed", "x"],
    [path, "x"],
    ["./install.sh", "x"],
  ])
    assert.equal((await step.run(command)).output, "installed x");
});

test("a program sees the allowed variables and its own, and no other of the host", async (t) => {
  process.env.GANTRY_SECRET_TOKEN = "hidden";
  process.env.ALLOWED_HERE = "visible";
  process.env.LC_ALL ??= "C.UTF-8";
  t.after(() => {
    delete process.env.GANTRY_SECRET_TOKEN;
    delete process.env.ALLOWED_HERE;
  });
  using step = running({ environment: ["ALLOWED_HERE", "NOT_SET_ANYWHERE"] });
  const { output } = await step.run(["env"], { environment: { OWN: "a b $x", TZ: "Europe/Berlin" } });
  const seen = Object.fromEntries(output.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const inherited = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"].filter((name) => process.env[name] !== undefined);
  // The shell at the gate adds PWD and, depending on which one it is, the other two.
  const { PWD: _, OLDPWD: __, SHLVL: ___, _: ____, ...others } = seen;
  assert.deepEqual(others, {
    ...Object.fromEntries(inherited.map((name) => [name, process.env[name]])),
    ALLOWED_HERE: "visible",
    OWN: "a b $x",
    TZ: "Europe/Berlin",
  });
  assert.doesNotMatch(output, /hidden/);
});

test("standard input is empty, and a file that the host has open is not passed on", async () => {
  using step = running();
  assert.equal((await step.shell("cat; echo $?")).output, "0");
  const descriptor = openSync(step.write("open-in-the-host", ""), "r");
  try {
    const { output } = await step.run(["ls", "-l", "/proc/self/fd"]);
    assert.match(output, / 0 -> \/dev\/null/);
    assert.doesNotMatch(output, /open-in-the-host/);
  } finally {
    closeSync(descriptor);
  }
});

test("a program may change its directory, close its output and go on", async () => {
  using step = running();
  mkdirSync(step.file("below"));
  const { output } = await step.shell("cd below; echo said; exec >&- 2>&-; sleep 0.3; pwd > ../late");
  assert.equal(output, "said");
  assert.equal(step.read("late"), `${step.file("below")}\n`);
});

test("exit codes mean success, a repetition, or failure", async () => {
  using step = running();
  const exitCodes = { done: [0, 3], retry: [21] };
  assert.deepEqual(ending(await step.shell("echo fine; exit 3", { exitCodes })), { exitCode: 3, output: "fine" });
  const later = await step.refused(["/bin/sh", "-c", "echo not yet; exit 21"], { exitCodes });
  assert.deepEqual([later.code, later.retryable], ["SCRIPT_RETRY_LATER", true]);
  assert.deepEqual([later.details!.exitCode, later.details!.output], [21, "not yet"]);
  assert.match(later.message, /exit code 21\): not yet/);
  const failed = await step.refused(["/bin/sh", "-c", "echo no room; exit 4"], { exitCodes });
  assert.equal(failed.code, "SCRIPT_FAILED");
  assert.deepEqual([failed.details!.exitCode, failed.details!.output], [4, "no room"]);
  assert.match(failed.message, /exit code 4: no room/);
  const final = await step.refused(["/bin/sh", "-c", "exit 5"], { exitCodes: { ...exitCodes, failed: [5] } });
  assert.deepEqual([final.code, final.retryable], ["SCRIPT_FAILED_FOR_GOOD", false]);
  // Named as done, only those are: 0 is not among them.
  assert.equal((await step.refused(["true"], { exitCodes: { done: [5] } })).code, "SCRIPT_FAILED");
});

test("a program that is ended by a signal of somebody else was killed", async () => {
  using step = running();
  const failure = await step.refused(["/bin/sh", "-c", "echo last words; kill -SEGV $$"]);
  assert.equal(failure.code, "SCRIPT_KILLED");
  assert.deepEqual([failure.details!.exitCode, failure.details!.signal], [null, "SIGSEGV"]);
  assert.match(failure.message, /SIGSEGV: last words/);
});

test("a missing program is not found, and is none of the exit codes", async () => {
  using step = running();
  const lost = step.write("lost.sh", "#!/no/such/interpreter\n");
  for (const program of ["no-such-program", "./missing", "/no/such/program", lost])
    for (const exitCodes of [{}, { done: [127], retry: [127] }]) {
      const failure = await step.refused([program], { exitCodes });
      assert.deepEqual([failure.code, failure.retryable], ["SCRIPT_NOT_FOUND", false]);
      assert.ok(failure.message.includes(program));
      assert.equal(failure.details!.exitCode, undefined);
    }
});

test("a file without the right to be executed, and a folder, cannot be executed", async () => {
  using step = running();
  writeFileSync(step.file("plain"), "#!/bin/sh\n", { mode: 0o644 });
  for (const program of ["./plain", step.context.directory]) {
    const failure = await step.refused([program], { exitCodes: { done: [126] } });
    assert.deepEqual([failure.code, failure.retryable], ["SCRIPT_NOT_EXECUTABLE", false]);
  }
});

test("a script in which a program is missing has failed itself", async () => {
  using step = running();
  writeFileSync(step.file("plain"), "", { mode: 0o644 });
  for (const [line, exitCode] of [
    ["no-such-program", 127],
    ["./plain", 126],
    ["exit 125", 125],
  ] as const) {
    const failure = await step.refused(["/bin/sh", "-c", line]);
    assert.equal(failure.code, "SCRIPT_FAILED", line);
    assert.equal(failure.details!.exitCode, exitCode);
  }
  assert.equal((await step.shell("no-such-program", { exitCodes: { done: [127] } })).exitCode, 127);
});

test("a working directory that is missing, or a file, is named", async () => {
  using step = running();
  const file = step.write("file", "");
  for (const directory of [step.file("missing"), file, join(file, "below")]) {
    const failure = await step.refused(["true"], { directory });
    assert.deepEqual([failure.code, failure.retryable], ["SCRIPT_DIRECTORY_MISSING", false]);
    assert.ok(failure.message.includes(directory));
  }
});

test("what the system cannot start says so: an argument that is too long, or none at all for it", async () => {
  using step = running();
  for (const argument of ["x".repeat(200_000), "nul\0nul"]) {
    const failure = await step.refused(["echo", argument]);
    assert.equal(failure.code, "SCRIPT_START_FAILED");
    assert.match(failure.message, /^echo cannot be started: /);
  }
});

test("input that the schema does not allow does not reach the step", async () => {
  using step = running();
  await assert.rejects(step.run([]), /the input of script\/run/);
  await assert.rejects(step.run(["true"], { directory: "relative" }), /the input of script\/run/);
  await assert.rejects(step.run(["true"], { exitCodes: { done: [256] } }), /the input of script\/run/);
  await assert.rejects(step.run(["true"], { environment: { "A=B": "x" } }), /the input of script\/run/);
});

test("the plan names the command and runs nothing", async () => {
  using step = running();
  const { directory } = step.context;
  const input = { command: ["touch", "made"], directory };
  assert.equal(await planStep("script", "run", input, step.context), `runs touch made in ${directory}`);
  assert.ok(!step.exists("made"));
});
