// Runs that do not report how their file went, or come too late to have one.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { Hub, shipped } from "./hub.ts";

/** Begins a file and says no more of it; with a gate it takes its turn once that is there. */
const silent = () => {
  const { on, inputs, steps } = shipped("upload-files");
  const gate = "${{ inputs.options['info.gate'] }}";
  const command = ["sh", "-c", 'until test -e "$0"; do sleep 0.05; done', gate];
  return {
    ...{ name: "upload-files", on, inputs },
    steps: [
      steps[0],
      {
        if: `\${{ ${gate.slice(4, -3)} != null }}`,
        steps: [
          { uses: "script/run", with: { command, directory: "${{ run.directory }}" } },
          { uses: "file-upload/turn", with: { id: "${{ steps.begin.outputs.id }}" } },
        ],
      },
    ],
  };
};

describe("files of which nothing more is heard", { skip: needs("mosquitto"), timeout: 120_000 }, () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-endings-")));
  let hub: Hub;

  before(async () => {
    writeFileSync(join(directory, "a.log"), "a");
    const names = ["request-uploads", "cancel-uploads", "expire-uploads"];
    hub = await Hub.start({
      upload: { files: `${directory}/*.log`, mode: "lax" },
      workflows: { "upload-files": silent(), ...Object.fromEntries(names.map((name) => [name, shipped(name)])) },
    });
  });
  after(async () => {
    await hub?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const begin = async (correlationId: string, more: Record<string, string> = {}) => {
    assert.equal((await hub.command("trigger", { correlationId })).status, 204);
    const [request] = await hub.requests(correlationId, 1);
    await hub.startOne(request!, { "https.url": "http://x/", ...more });
  };

  test("a run whose upload has ended meanwhile gets no turn: FILE_UPLOAD_ENDED", async () => {
    const gate = join(directory, "gate");
    await begin("late", { "info.gate": gate });
    assert.equal((await hub.command("cancel", { correlationId: "late" })).status, 204);
    writeFileSync(gate, "");
    const [line] = await waitFor("its failure", () => {
      const lines = hub.logged("FILE_UPLOAD_ENDED");
      return lines.length > 0 && lines;
    });
    assert.match(String(line!.msg), /the upload 'late#1' has ended meanwhile/);
  });

  test("an upload whose requests are not all sent, as their run was cancelled, does not stay for ever", async () => {
    for (const [name, count] of [
      ["some", 120],
      ["most", 250],
    ] as const) {
      mkdirSync(join(directory, name));
      for (let n = 0; n < count; n++) writeFileSync(join(directory, name, `${n}`), "");
      const options = { "upload.files": `${directory}/${name}/*` };
      assert.equal((await hub.command("trigger", { correlationId: name, options })).status, 204);
      if (name === "most") break;
      // With so many under way a further upload is asked for by and by.
      for (const request of await hub.requests(name, count)) await hub.startOne(request, { "https.url": "http://x/" });
    }
    await hub.requests("most", 200);
    const accepted = hub.device.host.lines().filter(({ workflow, msg }) => {
      return workflow === "request-uploads" && msg === "run accepted";
    });
    const { data } = hub.device;
    const main = fileURLToPath(new URL("../../../host/main.ts", import.meta.url));
    const run = String(accepted.at(-1)!.run);
    await promisify(execFile)(process.execPath, [main, "cancel", run, "--data", data]);
    const { state, statusCode } = await hub.end("most");
    assert.deepEqual([state, statusCode], ["CANCELED", "RUN_CANCELLED"]);
    assert.equal((await hub.command("cancel", { correlationId: "most" })).status, 404);
    await hub.command("cancel", { correlationId: "some" });
  });

  test("a file of which nothing was heard for a day is given up: FILE_UPLOAD_ABANDONED", async () => {
    await begin("forgotten");
    await hub.device.host.stop();
    const shift = fileURLToPath(new URL("../../support/later.mjs", import.meta.url));
    await hub.device.startHost({ NODE_OPTIONS: `--import ${shift}` });
    const { state, statusCode, message } = await hub.end("forgotten");
    assert.deepEqual(
      [state, statusCode, message],
      ["FAILED", "FILE_UPLOAD_ABANDONED", "nothing more was heard of 1 files"],
    );
    assert.equal((await hub.command("cancel", { correlationId: "forgotten" })).status, 404);
  });
});
