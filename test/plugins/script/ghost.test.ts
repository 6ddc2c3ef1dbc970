// A host that is killed: what it had started does not run beside its own repetition.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStoreForReading } from "../../../host/store/open.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { HostProcess, makeHostFolder } from "../../support/host-process.ts";
import { membersOf } from "./running.ts";

const main = fileURLToPath(new URL("../../../host/main.ts", import.meta.url));

test("after kill -9 the program, its children and what ignores signals are gone before it begins again", async () => {
  const root = mkdtempSync(join(tmpdir(), "gantry-ghost-"));
  let host: HostProcess | undefined;
  try {
    // The first one stays until it is ended; the second sees whether the first is still there.
    writeFileSync(
      join(root, "install.sh"),
      `trap '' TERM HUP
       if [ -e first ]; then
         for pid in $(cat first); do grep -q '^State:.[^ZX]' /proc/$pid/status 2>/dev/null && echo "$pid lives" >> ghosts; done
         printf 'message=installed\\n' > status; exit 0
       fi
       sleep 600 & echo "$$ $!" > first.new; mv first.new first; wait`,
    );
    const document = {
      name: "install",
      steps: [{ id: "run", uses: "script/run", with: { command: ["/bin/sh", "install.sh"], directory: root } }],
      outputs: { said: "${{ steps.run.outputs.status.message }}" },
    };
    const folder = await makeHostFolder(
      join(root, "host"),
      { workflows: ["./workflows"], plugins: [{ plugin: "script" }] },
      { install: document },
    );
    const file = join(folder.directory, "workflows/install.json");
    const first = spawn(process.execPath, [main, "run", file, "--config", folder.config, "--data", folder.data]);
    const told = await waitFor("the program", () => read(join(root, "first")));
    first.kill("SIGKILL");
    await once(first, "exit");
    const [leader] = told.trim().split(" ").map(Number);
    assert.ok(membersOf(leader!).length > 0, "it outlives its host");
    host = new HostProcess(folder);
    const run = await waitFor("the end of the run", () => {
      const store = openStoreForReading(folder.data);
      try {
        const [only] = store.runs.list({ limit: 1 });
        return only?.endedAt == null ? undefined : only;
      } finally {
        store.close();
      }
    });
    assert.deepEqual([run.status, run.output], ["succeeded", { said: "installed" }]);
    assert.equal(read(join(root, "ghosts")), undefined);
    assert.deepEqual(membersOf(leader!), []);
  } finally {
    await host?.stop();
    rmSync(root, { recursive: true });
  }
});

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
