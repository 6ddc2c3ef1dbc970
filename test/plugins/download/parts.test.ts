// Parts that nobody goes on with, and hosts that want the same file.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PluginError } from "../../../host/sdk.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { serveArtifacts, sha256 } from "../../support/artifact-server.ts";
import { failureOf, setUpStep, stepContext } from "../../support/step-context.ts";
import { serveRanges } from "./range-server.ts";
import { fetching } from "./server.ts";

const content = randomBytes(1_000_000);
const checksums = { SHA256: sha256(content) };

test("a part that no run goes on with after a start is removed, as is one that is kept for too long", async () => {
  for (const end of ["interrupted", "kept"]) {
    await using server = await serveRanges(content);
    using step = fetching();
    if (end === "kept") {
      server.cuts = [500_000];
      await failureOf("download", step.fetch(`${server.url}/file`, { checksums }));
    } else {
      const running = step.fetch(`${server.url}/file`, { checksums, bytesPerSecond: 100_000 });
      await waitFor("some bytes", () => step.context.reports.length > 0);
      step.context.controller.abort(new PluginError("HOST_STOPPING", "the host stops"));
      await assert.rejects(running, { code: "HOST_STOPPING" });
    }
    assert.equal(readdirSync(step.directory).length, 1);
    // The next life of the host does something else.
    using next = fetching({ keepParts: "500ms" }, { directory: step.context.directory });
    const other = await next.fetch(`${server.url}/other`, { checksums });
    assert.ok(readFileSync(other.path).equals(content));
    await waitFor("the end of the part", () => readdirSync(step.directory).join() === "other");
    const isTold = () => next.context.lines.some(({ text }) => text.includes("no download went on with it"));
    await waitFor("the line in the log", isTold);
  }
});

test("a part that came to too little for a record is removed, too, by whoever made it only", async () => {
  await using server = await serveRanges(content);
  using step = fetching();
  await step.fetch(`${server.url}/file`, { checksums });
  rmSync(join(step.directory, "file"));
  // As a crash after the first bytes leaves it; the other one is another host's.
  const part = await step.partOf("file");
  const foreign = part.replace(/[0-9a-f]{8}\.part$/, "00000000.part");
  for (const path of [part, foreign]) writeFileSync(path, "begun");
  using next = fetching({ keepParts: "100ms" }, { directory: step.context.directory });
  const { path } = await next.fetch(`${server.url}/other`, { checksums });
  await waitFor("the end of the part", () => !existsSync(part));
  assert.deepEqual(readdirSync(step.directory).sort(), [basename(foreign), basename(path)]);
});

test("a folder that had no part left is looked through again once something is downloaded to it", async () => {
  await using server = await serveRanges(content);
  using step = fetching();
  const fetch = await setUpStep("download", "fetch", step.context, { keepParts: "100ms" });
  const part = await step.partOf("file");
  mkdirSync(step.directory);
  for (const filename of ["first", "second", "third"]) {
    writeFileSync(part, "begun");
    await fetch({ url: `${server.url}/${filename}`, directory: step.directory, filename, checksums });
    await waitFor(`the end of the part after the ${filename}`, () => !existsSync(part));
  }
});

test("a part that is being received is left alone by the sweep", async () => {
  await using server = await serveRanges(content);
  using step = fetching({ keepParts: "100ms" });
  // Five sweeps fit into it.
  await step.fetch(`${server.url}/file`, { checksums, bytesPerSecond: 2_000_000 });
  assert.equal(server.sentBytes, content.length);
});

test("processes with data folders of their own that write the same file leave a whole one", async () => {
  const contents = [content, Buffer.from(content).reverse()];
  await using server = await serveArtifacts({ one: contents[0]!, two: contents[1]! });
  using context = stepContext();
  const program = fileURLToPath(new URL("fetch-once.ts", import.meta.url));
  const target = join(context.directory, "shared");
  const fetchOnce = (name: string) =>
    promisify(execFile)(process.execPath, ["--import", "tsx", program, `${server.url}/${name}`, target, "file"]);
  await Promise.all(["one", "two", "one", "two"].map(fetchOnce));
  assert.deepEqual(readdirSync(target), ["file"]);
  assert.ok(contents.some((whole) => whole.equals(readFileSync(join(target, "file")))));
});
