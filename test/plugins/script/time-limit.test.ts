// A step's own `timeout`, in a real host: the program and all that it has started are gone when the step has failed.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "../../../host/testing/index.ts";
import { membersOf } from "./running.ts";

// Each attempt says what it finds alive of the earlier one; the second is done with that. What it starts ignores SIGTERM
// as it does itself: only SIGKILL ends either of them.
const program = `
  if [ -e begun ]; then
    for pid in $(cat begun); do
      grep -q '^State:.[^ZX]' /proc/$pid/status 2>/dev/null && echo "$pid lives" >> ghosts
    done
    echo repaired; exit 0
  fi
  (trap '' TERM; while :; do sleep 600; done) & child=$!
  trap 'echo told >> signals' TERM
  echo "$$ $child" > begun.new; mv begun.new begun
  while :; do sleep 0.05; done
`;

/** One run of the program, during whose first attempt the step's time passes. */
async function overdue(more: object) {
  const directory = mkdtempSync(join(tmpdir(), "gantry-limit-"));
  const file = (name: string) => join(directory, name);
  try {
    writeFileSync(file("install.sh"), program);
    const step = { id: "install", uses: "script/run", timeout: "10m", with: { command: ["/bin/sh", "install.sh"] } };
    const workflow = { steps: [{ ...step, ...more, with: { ...step.with, directory } }] };
    await using host = await startTestHost({ plugins: ["script"], workflows: { install: workflow }, process: true });
    const id = await host.start("install");
    await waitFor("the program", () => existsSync(file("begun")));
    const [leader, child] = readFileSync(file("begun"), "utf8").trim().split(" ").map(Number);
    assert.deepEqual(
      [leader!, child!].filter((pid) => !membersOf(leader!).includes(pid)),
      [],
      "both are of the group",
    );
    await host.clock.advance("10m");
    const run = await host.ended(id);
    return {
      run,
      step: run.steps[0]!,
      left: membersOf(leader!),
      signals: readFileSync(file("signals"), "utf8"),
      hasGhosts: existsSync(file("ghosts")),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("when its time has passed, a program that ignores SIGTERM is killed with its whole group, and the step fails", async () => {
  const { run, step, left, signals } = await overdue({});
  assert.equal(signals, "told\n");
  assert.deepEqual([run.status, run.error?.code, step.error?.code], ["failed", "STEP_TIMEOUT", "STEP_TIMEOUT"]);
  assert.equal(step.attempts, 1);
  assert.deepEqual(left, []);
});

test("a retry after that begins when nothing of the first attempt is left, and may succeed", async () => {
  const { run, step, left, signals, hasGhosts } = await overdue({ retry: { retries: 1, delay: "10ms" } });
  assert.equal(signals, "told\n");
  assert.deepEqual([run.status, step.status, step.attempts], ["succeeded", "succeeded", 2]);
  assert.equal((step.output as { output: string }).output, "repaired");
  assert.equal(hasGhosts, false);
  assert.deepEqual(left, []);
});
