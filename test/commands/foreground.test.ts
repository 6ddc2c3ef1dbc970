// Commands where no host serves: one run in the foreground, and what is said while nobody is there.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { catalogue } from "../../host/errors.ts";
import { openStoreForReading } from "../../host/store/open.ts";
import type { Run } from "../../host/store/store.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";
import { gantry } from "./gantry.ts";

const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));
const workflows = {
  echo: {
    name: "echo",
    inputs: { type: "object" },
    steps: [],
    outputs: { said: "${{ default(inputs.word, 'nothing') }}" },
  },
  patient: {
    name: "patient",
    steps: [{ id: "w", uses: "host/wait", with: { for: "go" } }],
    outputs: "${{ steps.w.outputs.value }}",
  },
};
let root: string;
let folder: HostFolder;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "gantry-foreground-"));
  folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins: [] }, workflows);
});
after(() => rm(root, { recursive: true }));

const run = (command: string, ...args: string[]) => gantry(command, ...args, "--config", folder.config);

function newest(workflow: string): Run | undefined {
  const reader = openStoreForReading(folder.data);
  try {
    return reader.runs.list({ workflow, limit: 1 })[0];
  } finally {
    reader.close();
  }
}

/** A run in the foreground that waits; what it prints is in `text`. */
async function startPatient(before?: string): Promise<{ child: ChildProcess; id: string; text: () => string }> {
  const child = spawn(process.execPath, [main, "run", "patient", "--config", folder.config], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const { id } = await waitFor("the run that waits", () => {
    const found = newest("patient");
    return found?.id !== before && found?.status === "waiting" && found;
  });
  return { child, id, text: () => text };
}

test("a retry without a host is a run in the foreground, with the same input", async () => {
  assert.equal((await run("run", "echo")).code, 0);
  const first = newest("echo")!;
  const { code, stdout } = await run("retry", first.id);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /echo succeeded \(run \S+\)\n[\s\S]*"said": "nothing"/);
  assert.equal(newest("echo")!.retryOf, first.id);
});

test("beside a run in the foreground no other one begins, but it can be cancelled: HOST_FOREGROUND", async () => {
  const { child, id } = await startPatient();
  const refused = await run("run", "echo");
  const { code, remedy } = JSON.parse(refused.stderr) as { code: string; remedy: string };
  assert.deepEqual([refused.code, code, remedy], [1, "HOST_FOREGROUND", catalogue.HOST_FOREGROUND.remedy]);
  const closed = once(child, "close");
  const cancelled = await run("cancel", id);
  assert.equal(cancelled.code, 0, cancelled.stderr);
  assert.deepEqual(await closed, [1, null]);
  assert.equal(newest("patient")!.status, "cancelled");
});

test("a run in the foreground is suspended by a Ctrl-C that arrives twice, and hears at the next start what it was told meanwhile", async () => {
  const { child, id, text } = await startPatient(newest("patient")!.id);
  const closed = once(child, "close");
  child.kill("SIGINT");
  child.kill("SIGINT");
  assert.deepEqual(await closed, [1, null]);
  assert.match(text(), new RegExp(`run ${id} is suspended; it goes on with \`gantry up\``));
  const told = await run("signal", "go", "--value", '{"by":"me"}', "--json");
  assert.deepEqual([told.code, (JSON.parse(told.stdout) as { received: unknown }).received], [0, null]);
  const host = new HostProcess(folder);
  try {
    await host.ready();
    const ended = await waitFor("its end", () => newest("patient")!.endedAt !== null && newest("patient"));
    assert.deepEqual([ended.status, ended.output], ["succeeded", { by: "me" }]);
  } finally {
    await host.stop();
  }
});

test("a signal for a folder that no host has worked in is STORE_MISSING, and makes nothing there", async () => {
  const { code, stderr } = await gantry("signal", "go", "--data", join(root, "nothing"));
  assert.equal(code, 1);
  assert.match(stderr, /STORE_MISSING/);
  assert.throws(() => openStoreForReading(join(root, "nothing")), { code: "STORE_MISSING" });
});
