// Where the system does not let a step write: it says why, leaves nothing, and goes on once there is room if its policy
// says so.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startHost } from "../../host/host.ts";
import { loadWorkflow } from "../../host/loading/load-workflow.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import type { JsonObject } from "../../host/sdk.ts";
import { cannotMount, smallDisk } from "../support/small-disk.ts";
import { failureOf, runStep, stepContext } from "../support/step-context.ts";
import { treeOf } from "../support/tree-of.ts";
import { tarOf } from "./archive/tar-bytes.ts";
import { serve } from "./download/server.ts";

const archive = tarOf({ name: "file", content: "content" });

/** What lies beside what is written; and each step that writes, by what it would make in a folder. */
async function world() {
  const source = mkdtempSync(join(tmpdir(), "gantry-source-"));
  mkdirSync(join(source, "folder"));
  for (const name of ["file", "folder/file"]) writeFileSync(join(source, name), "content");
  writeFileSync(join(source, "archive"), archive);
  // Whoever tries may read all of it.
  execFileSync("chmod", ["-R", "a+rX", source]);
  const server = await serve((_, response) => response.end("content"));
  const steps = (directory: string): [plugin: string, step: string, input: JsonObject][] => [
    ["download", "fetch", { url: `${server.url}/file`, directory, filename: "file", allowWeakChecksums: true }],
    ["download", "copy", { path: join(source, "file"), mode: "lax", directory, allowWeakChecksums: true }],
    ["archive", "extract", { path: join(source, "archive"), directory: join(directory, "target") }],
    ["archive", "create", { directory: join(source, "folder"), path: join(directory, "made.tar.gz") }],
    ["files", "write", { path: join(directory, "file"), content: "content" }],
    ["files", "move", { from: join(source, "folder"), to: join(directory, "moved") }],
    ["files", "remove", { path: join(directory, "there") }],
  ];
  return {
    steps,
    source,
    async [Symbol.asyncDispose]() {
      rmSync(source, { recursive: true });
      await server[Symbol.asyncDispose]();
    },
  };
}

async function refusals(steps: ReturnType<Awaited<ReturnType<typeof world>>["steps"]>) {
  const refused: unknown[] = [];
  for (const [plugin, step, input] of steps) {
    using context = stepContext();
    const { code, retryable, details } = await failureOf(plugin, runStep(plugin, step, input, context));
    refused.push([`${plugin}/${step}`, code, retryable, details?.reason]);
  }
  return refused;
}

const expected = (reason: string) => [
  ["download/fetch", "DOWNLOAD_WRITE_FAILED", false, reason],
  ["download/copy", "DOWNLOAD_WRITE_FAILED", false, reason],
  ["archive/extract", "ARCHIVE_WRITE_FAILED", false, reason],
  ["archive/create", "ARCHIVE_WRITE_FAILED", false, reason],
  ["files/write", "FILES_FAILED", false, reason],
  ["files/move", "FILES_FAILED", false, reason],
  ["files/remove", "FILES_FAILED", false, reason],
];

test("a file system that is read-only is a failure to write, and no matter for a retry", {
  skip: cannotMount,
}, async () => {
  await using around = await world();
  using disk = smallDisk("1m");
  writeFileSync(disk.path("there"), "before");
  const source = treeOf(around.source);
  execFileSync("mount", ["-o", "remount,ro", disk.place]);
  assert.deepEqual(await refusals(around.steps(disk.place)), expected("EROFS"));
  assert.deepEqual(treeOf(disk.place), { there: "before" });
  assert.deepEqual(treeOf(around.source), source);
});

const cannotChangeUser = process.getuid!() === 0 ? false : "needs to be root, to be somebody else for a while";

test("a folder that belongs to somebody else is a failure to write, and no matter for a retry", {
  skip: cannotChangeUser,
}, async () => {
  await using around = await world();
  const place = mkdtempSync(join(tmpdir(), "gantry-denied-"));
  writeFileSync(join(place, "there"), "before");
  chmodSync(place, 0o755);
  const source = treeOf(around.source);
  try {
    process.setegid!("nogroup");
    process.seteuid!("nobody");
    try {
      assert.deepEqual(await refusals(around.steps(place)), expected("EACCES"));
    } finally {
      process.seteuid!(0);
      process.setegid!(0);
    }
    assert.deepEqual(treeOf(place), { there: "before" });
    assert.deepEqual(treeOf(around.source), source);
  } finally {
    rmSync(place, { recursive: true });
  }
});

test("a run whose disk is full goes on once there is room, if its steps have a retry", {
  skip: cannotMount,
}, async () => {
  using disk = smallDisk("1m");
  const folder = mkdtempSync(join(tmpdir(), "gantry-room-"));
  let requests = 0;
  const content = "x".repeat(600_000);
  await using server = await serve((_, response) => {
    if (++requests === 3) rmSync(disk.path("filler"));
    response.end(content);
  });
  writeFileSync(disk.path("filler"), "f".repeat(900_000));
  writeFileSync(join(folder, "plugins.json"), JSON.stringify({ plugins: [{ plugin: "download" }] }));
  const input = { url: `${server.url}/file`, directory: disk.place, filename: "file", allowWeakChecksums: true };
  const step = { id: "fetch", uses: "download/fetch", with: input, retry: { retries: 10, delay: "10ms" } };
  const file = join(folder, "room.json");
  writeFileSync(file, JSON.stringify({ name: "room", steps: [step] }));
  const documents = readHost(join(folder, "plugins.json"));
  const log = createLog({ level: "silent" });
  const host = await startHost({ documents, dataDirectory: join(folder, "data"), log, serve: false });
  try {
    const { workflow, faults } = loadWorkflow(file, documents.catalogue, { named: true });
    assert.deepEqual(faults, []);
    const { runId } = await host.engine.accept(workflow!, { input: {} });
    const { status, error } = await host.engine.waitFor(runId);
    assert.equal(status, "succeeded", JSON.stringify(error));
    assert.equal(requests, 3);
    assert.deepEqual(treeOf(disk.place), { file: content });
  } finally {
    await host.stop();
    rmSync(folder, { recursive: true });
  }
});
