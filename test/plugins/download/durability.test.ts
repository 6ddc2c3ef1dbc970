import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serveArtifacts } from "../../support/artifact-server.ts";
import { needs } from "../../support/parts.ts";
import { type Fetching, fetching } from "./server.ts";

/** The calls that make names and syncs, in their order; one download after the other. */
async function traced(step: Fetching, url: string, names: string[] = []): Promise<string[]> {
  const trace = join(step.context.directory, "trace");
  const program = fileURLToPath(new URL("fetch-once.ts", import.meta.url));
  // -y shows the path behind each descriptor.
  const strace = ["-f", "-y", "-o", trace, "-e", "trace=fsync,fdatasync,rename,renameat,renameat2"];
  const args = ["--import", "tsx", program, url, step.directory, ...names];
  await promisify(execFile)("strace", [...strace, process.execPath, ...args]);
  return readFileSync(trace, "utf8")
    .split("\n")
    .map((line) => line.replace(/^\d+\s+/, "").replaceAll(step.directory, "DIR"))
    .filter((call) => !call.startsWith("<"));
}

const nameOf = (call: string) => call.match(/^(fsync|fdatasync|rename)/)?.[1];
const inFolder = (calls: string[]) => calls.filter((call) => call.includes("DIR"));

test("the content is synced before the file gets its name, and the name after that", {
  skip: needs("strace"),
}, async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  const calls = inFolder(await traced(step, `${server.url}/file`));
  assert.deepEqual(step.files(), { file: "content" });
  assert.deepEqual(calls.map(nameOf), ["fdatasync", "rename", "fsync"]);
  assert.match(calls[0]!, /<DIR\/\.file\.[0-9a-f]{8}\.part>/);
  assert.match(calls[1]!, /"DIR\/\.file\.[0-9a-f]{8}\.part".*"DIR\/file"/);
  assert.match(calls[2]!, /<DIR>/);
});

test("a small file costs no other syncs than its own and that of its name", { skip: needs("strace") }, async () => {
  await using server = await serveArtifacts({ file: "content" });
  const besides: string[][] = [];
  for (const names of [["a"], ["a", "b", "c"]]) {
    using step = fetching();
    const calls = await traced(step, `${server.url}/file`, names);
    const own = inFolder(calls).map(nameOf);
    assert.deepEqual(
      own,
      names.flatMap(() => ["fdatasync", "rename", "fsync"]),
    );
    besides.push(calls.filter((call) => call.includes("/parts")).map((call) => nameOf(call)!));
  }
  // What is written once for the host and once for the folder.
  assert.ok(besides[0]!.length > 0);
  assert.deepEqual(besides[1], besides[0]);
});
