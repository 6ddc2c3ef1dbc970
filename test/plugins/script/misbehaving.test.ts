// Install scripts as they are found in the field.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GantryError } from "../../../host/errors.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { membersOf, running } from "./running.ts";

const cancelled = () => new GantryError("RUN_CANCELLED", "no longer wanted");

test("one that forks twice leaves nothing in its group, and is not waited for where it has left it", async () => {
  using step = running();
  const { output } = await step.shell(
    "((sleep 600 & echo $! > inside) &); (setsid sh -c 'echo $$ > outside; sleep 600' &); " +
      "while [ ! -s inside ] || [ ! -s outside ]; do sleep 0.02; done; echo installed",
  );
  assert.equal(output, "installed");
  const outside = Number(step.read("outside"));
  assert.deepEqual(membersOf(step.context.groups[0]!), []);
  assert.deepEqual(membersOf(outside).includes(outside), true);
  process.kill(-outside, "SIGKILL");
});

test("one that forks without end ends with the attempt, all its children included", async () => {
  using step = running();
  // Bounded by the number of rounds only, far beyond what the test lets it do.
  step.write(
    "forks.sh",
    'n=0; while [ $n -lt 100000 ]; do n=$((n+1)); (sleep 0.1; sh "$0" child) & sleep 0.05; done\n',
  );
  const attempt = step.run(["/bin/sh", step.file("forks.sh")]);
  await waitFor("some children", () => step.context.groups.length > 0 && membersOf(step.context.groups[0]!).length > 8);
  step.context.controller.abort(cancelled());
  await assert.rejects(attempt, { code: "RUN_CANCELLED" });
  assert.deepEqual(membersOf(step.context.groups[0]!), []);
});

test("one that forks as fast as it can and ignores every signal it may ends, too", async () => {
  using step = running();
  step.write(
    "bomb.sh",
    "trap '' TERM INT HUP; n=0; while [ $n -lt 150 ]; do n=$((n+1)); sleep 600 & done; touch forked; wait\n",
  );
  const attempt = step.run(["/bin/sh", step.file("bomb.sh")]);
  await waitFor("the children", () => step.exists("forked"));
  step.context.controller.abort(cancelled());
  await assert.rejects(attempt, { code: "RUN_CANCELLED" });
  assert.deepEqual(membersOf(step.context.groups[0]!), []);
});

test("one that closes its output goes on, and its end counts", async () => {
  using step = running();
  const { exitCode, output } = await step.shell("echo first; exec >&- 2>&- <&-; sleep 0.2; touch late; exit 0");
  assert.deepEqual([exitCode, output, step.exists("late")], [0, "first", true]);
});

test("one that is ended by a signal says which, and may have succeeded by it", async () => {
  using step = running();
  for (const signal of ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGPIPE"]) {
    const command = ["/bin/sh", "-c", `echo last words; kill -${signal.slice(3)} $$`];
    const failure = await step.refused(command);
    assert.deepEqual(
      [failure.code, failure.details!.signal, failure.details!.exitCode],
      ["SCRIPT_KILLED", signal, null],
    );
    const done = await step.run(command, { exitCodes: { doneSignals: [signal] } });
    assert.deepEqual([done.exitCode, done.signal, done.output], [null, signal, "last words"]);
  }
});

test("one that removes its own directory, and itself, ends as it says", async () => {
  using step = running();
  const path = step.write("install.sh", 'rm -- "$0"; cd /; echo gone; exit 3\n');
  const failure = await step.refused(["/bin/sh", path]);
  assert.deepEqual([failure.code, failure.details!.exitCode], ["SCRIPT_FAILED", 3]);
});
