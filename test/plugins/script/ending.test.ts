// How programs end, and that nothing of them stays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GantryError } from "../../../host/errors.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { ending, membersOf, running } from "./running.ts";

const cancelled = () => new GantryError("STEP_TIMEOUT", "not done in time");
const stopping = () => new GantryError("HOST_STOPPING", "the host stops");

test("children that a program leaves running end with it, also those that ignore signals", async () => {
  using step = running();
  const children =
    "trap '' TERM HUP; sleep 600 & (sleep 600 & sleep 600) & nohup sleep 600 >/dev/null 2>&1 & echo done";
  assert.deepEqual(ending(await step.shell(children)), { exitCode: 0, output: "done" });
  assert.deepEqual(membersOf(step.context.groups[0]!), []);
});

test("an abort ends the program and its children with the abort's own reason", async () => {
  using step = running();
  const attempt = step.shell("echo before; sleep 600 & (sleep 600 & sleep 600) & touch begun; sleep 600");
  await waitFor("the beginning", () => step.exists("begun"));
  const reason = cancelled();
  step.context.controller.abort(reason);
  await assert.rejects(attempt, (error) => error === reason);
  assert.deepEqual(membersOf(step.context.groups[0]!), []);
  assert.deepEqual(
    step.context.lines.map(({ text }) => text),
    ["before"],
  );
});

test("an abort lets a program tidy up, and what it says then is in the log", async () => {
  using step = running();
  const attempt = step.shell("trap 'echo tidied; exit 0' TERM; touch begun; while :; do sleep 0.05; done");
  await waitFor("the beginning", () => step.exists("begun"));
  step.context.controller.abort(cancelled());
  await assert.rejects(attempt, { code: "STEP_TIMEOUT" });
  assert.ok(step.context.lines.some(({ text }) => text === "tidied"));
});

test("a program that ignores SIGTERM is killed after the grace", async () => {
  using step = running();
  const attempt = step.shell("trap 'echo ignored' TERM; touch begun; while :; do sleep 0.05; done");
  await waitFor("the beginning", () => step.exists("begun"));
  step.context.controller.abort(cancelled());
  await assert.rejects(attempt, { code: "STEP_TIMEOUT" });
  assert.ok(step.context.lines.some(({ text }) => text === "ignored"));
  assert.deepEqual(membersOf(step.context.groups[0]!), []);
});

test("a stopped program ends, too", async () => {
  using step = running();
  const attempt = step.shell("touch begun; kill -STOP $$; sleep 600");
  await waitFor("the beginning", () => step.exists("begun"));
  step.context.controller.abort(cancelled());
  await assert.rejects(attempt, { code: "STEP_TIMEOUT" });
  assert.deepEqual(membersOf(step.context.groups[0]!), []);
});

test("when the host stops, a program that is nearly done may finish", async () => {
  using step = running({ stopTimeout: "7s" });
  const attempt = step.shell("touch begun; while [ ! -e go ]; do sleep 0.02; done; echo finished");
  await waitFor("the beginning", () => step.exists("begun"));
  step.context.controller.abort(stopping());
  step.write("go", "");
  assert.deepEqual(ending(await attempt), { exitCode: 0, output: "finished" });
});

test("when the host stops, a program that goes on for longer is ended", async () => {
  using step = running({ stopTimeout: "200ms" });
  const attempt = step.shell("trap 'echo told; exit 0' TERM; touch begun; while :; do sleep 0.05; done");
  await waitFor("the beginning", () => step.exists("begun"));
  const reason = stopping();
  step.context.controller.abort(reason);
  await assert.rejects(attempt, (error) => error === reason);
  assert.ok(step.context.lines.some(({ text }) => text === "told"));
  assert.deepEqual(membersOf(step.context.groups[0]!), []);
});

test("a daemon that left the group does not hold the step up", async () => {
  using step = running();
  const { output } = await step.shell(
    "setsid sh -c 'echo $$ > daemon; sleep 600' & while [ ! -s daemon ]; do sleep 0.02; done; echo done",
  );
  assert.equal(output, "done");
  process.kill(-Number(step.read("daemon")), "SIGKILL");
});

test("a daemon that left the group does not hold an abort up, either", async () => {
  using step = running();
  const attempt = step.shell("setsid sh -c 'echo $$ > daemon; while :; do echo more; sleep 0.02; done' & sleep 600");
  const daemon = Number(await waitFor("the daemon", () => step.exists("daemon") && step.read("daemon").trim()));
  step.context.controller.abort(cancelled());
  await assert.rejects(attempt, { code: "STEP_TIMEOUT" });
  const { length } = step.context.lines;
  // It has nobody to talk to any more, and ends by that.
  await waitFor("the daemon's end", () => !membersOf(daemon).includes(daemon));
  assert.equal(step.context.lines.length, length);
});

test("an attempt that was aborted before it began starts nothing", async () => {
  using step = running();
  const reason = cancelled();
  step.context.controller.abort(reason);
  await assert.rejects(step.shell("touch begun"), (error) => error === reason);
  assert.deepEqual(step.context.groups, []);
  assert.ok(!step.exists("begun"));
});
