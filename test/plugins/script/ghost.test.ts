// A host that is killed: what it had started does not run beside its own repetition.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";
import { membersOf } from "./running.ts";

test("after kill -9 the program, its children and what ignores signals are gone before it begins again", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-ghost-"));
  try {
    // The first one stays until it is ended; the second sees whether the first is still there.
    writeFileSync(
      join(directory, "install.sh"),
      `trap '' TERM HUP
       if [ -e first ]; then
         for pid in $(cat first); do grep -q '^State:.[^ZX]' /proc/$pid/status 2>/dev/null && echo "$pid lives" >> ghosts; done
         printf 'message=installed\\n' > status; exit 0
       fi
       sleep 600 & echo "$$ $!" > first.new; mv first.new first; wait`,
    );
    const install = {
      steps: [{ id: "run", uses: "script/run", with: { command: ["/bin/sh", "install.sh"], directory } }],
      outputs: { said: "${{ steps.run.outputs.status.message }}" },
    };
    await using host = await startTestHost({ plugins: ["script"], workflows: { install }, process: true });
    const id = await host.start("install");
    const told = await waitFor("the program", () => read(join(directory, "first")));
    await host.kill();
    const [leader] = told.trim().split(" ").map(Number);
    assert.ok(membersOf(leader!).length > 0, "it outlives its host");
    await host.resume();
    const run = await host.ended(id);
    assert.deepEqual([run.status, run.output], ["succeeded", { said: "installed" }]);
    assert.equal(read(join(directory, "ghosts")), undefined);
    assert.deepEqual(membersOf(leader!), []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
