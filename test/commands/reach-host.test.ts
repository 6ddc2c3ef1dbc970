import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { askHostOr } from "../../host/commands/reach-host.ts";
import { type Host, startHost } from "../../host/host.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import { openStore } from "../../host/store/open.ts";

test("a host that is just starting, and has the folder but no socket yet, is awaited and asked", async () => {
  const root = mkdtempSync(join(tmpdir(), "gantry-reach-"));
  writeFileSync(join(root, "plugins.json"), JSON.stringify({ plugins: [] }));
  const documents = readHost(join(root, "plugins.json"));
  const dataDirectory = join(root, "data");
  let starting: Promise<Host> | undefined;
  try {
    const { pid } = await askHostOr(
      dataDirectory,
      (client) => client.call<{ pid: number }>("host.info"),
      async () => {
        starting = startHost({ documents, dataDirectory, log: createLog({ level: "silent" }) });
        await openStore(dataDirectory);
        throw new Error("nobody holds the folder");
      },
    );
    assert.equal(pid, process.pid);
  } finally {
    await (await starting)?.stop();
    rmSync(root, { recursive: true });
  }
});
