// Nothing runs that is not in the journal.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { GantryError } from "../../../host/errors.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { membersOf, running } from "./running.ts";

function journal() {
  const told = Promise.withResolvers<number>();
  const written = Promise.withResolvers<void>();
  const processStarted = (group: number) => {
    told.resolve(group);
    return written.promise;
  };
  return { told: told.promise, write: written.resolve, fail: written.reject, processStarted };
}

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");

test("the program begins only when the journal has its group, and then as the process that the journal knows", async () => {
  const { told, write, processStarted } = journal();
  using step = running({}, { processStarted });
  const attempt = step.shell("touch begun; echo $$");
  const group = await told;
  assert.deepEqual(membersOf(group), [group]);
  // It waits, whatever else happens in the meantime.
  using other = running();
  for (let round = 0; round < 5; round++) await other.run(["true"]);
  assert.equal(commandOf(group)[3], "gate");
  assert.ok(!step.exists("begun"));
  write();
  assert.equal((await attempt).output, String(group));
  assert.ok(step.exists("begun"));
});

test("when the journal cannot be written, the program never runs", async () => {
  const { told, fail, processStarted } = journal();
  using step = running({}, { processStarted });
  const attempt = assert.rejects(step.shell("touch begun"), { code: "STORE_FAILED", message: /no space left/ });
  const group = await told;
  fail(new GantryError("STORE_FAILED", "no space left"));
  await attempt;
  await waitFor("the end of the gate", () => membersOf(group).length === 0);
  assert.ok(!step.exists("begun"));
});

test("an abort while the journal is written ends the gate, and the program never runs", async () => {
  const { told, write, processStarted } = journal();
  using step = running({}, { processStarted });
  const attempt = step.shell("touch begun");
  const group = await told;
  const reason = new GantryError("HOST_STOPPING", "the host stops");
  step.context.controller.abort(reason);
  write();
  await assert.rejects(attempt, (error) => error === reason);
  await waitFor("the end of the gate", () => membersOf(group).length === 0);
  assert.ok(!step.exists("begun"));
});
