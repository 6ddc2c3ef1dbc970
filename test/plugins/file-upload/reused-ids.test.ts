// Hubs use a correlation id again as soon as an upload has ended, when a run of it may still be on its way.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { Hub, shipped } from "./hub.ts";

/** Takes a file for uploaded once a gate is there, and no cancel ends it before. */
const patient = () => {
  const { on, inputs, steps } = shipped("upload-files");
  const gate = "${{ inputs.options['info.gate'] }}";
  const sh = (script: string) => ({
    uses: "script/run",
    with: { command: ["sh", "-c", script, gate], directory: "${{ run.directory }}" },
  });
  const id = "${{ steps.begin.outputs.id }}";
  return {
    ...{ name: "upload-files", on, inputs },
    steps: [
      steps[0],
      { uses: "file-upload/turn", with: { id } },
      sh('until test -e "$0"; do sleep 0.05; done'),
      { uses: "file-upload/report", with: { id, status: "uploading", bytes: 1 } },
      { uses: "file-upload/report", with: { id, status: "done" } },
      sh('touch "$0.done"'),
    ],
  };
};

test("a run of an upload that has ended has no part in a later one of the same id", {
  skip: needs("mosquitto"),
  timeout: 120_000,
}, async () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-reused-")));
  writeFileSync(join(directory, "a.log"), "ab");
  const names = ["request-uploads", "cancel-uploads", "expire-uploads"];
  const hub = await Hub.start({
    upload: { files: `${directory}/*.log` },
    workflows: { "upload-files": patient(), ...Object.fromEntries(names.map((name) => [name, shipped(name)])) },
  });
  try {
    const gate = (name: string) => join(directory, name);
    const begin = async (name: string, count: number) => {
      assert.equal((await hub.command("trigger", { correlationId: "again" })).status, 204);
      await hub.requests("again", count);
      const start = { correlationId: "again#1", options: { "https.url": "http://x/", "info.gate": gate(name) } };
      assert.equal((await hub.command("start", start)).status, 204);
    };
    await begin("first", 1);
    assert.equal((await hub.command("cancel", { correlationId: "again" })).status, 204);
    await begin("second", 2);
    writeFileSync(gate("first"), "");
    await waitFor("the end of the first run", () => existsSync(gate("first.done")));
    const { value } = await hub.command("start", { correlationId: "again#1" });
    assert.equal(value?.message, "upload 'again#1' already started");
    writeFileSync(gate("second"), "");
    const states = () => hub.reportsOf("again").map(({ state, progress }) => `${state} ${progress}`);
    await waitFor("its success", () => states().includes("SUCCESS 100"));
    assert.deepEqual(states(), ["CANCELED 0", "UPLOADING 50", "SUCCESS 100"]);
  } finally {
    await hub[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  }
});
