import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serveArtifacts } from "../../support/artifact-server.ts";
import { needs } from "../../support/parts.ts";
import { fetching } from "./server.ts";

test("the content is synced before the file gets its name, and the name after that", {
  skip: needs("strace"),
}, async () => {
  await using server = await serveArtifacts({ file: "content" });
  using step = fetching();
  const trace = join(step.context.directory, "trace");
  const program = fileURLToPath(new URL("fetch-once.ts", import.meta.url));
  // -y shows the path behind each descriptor.
  const strace = ["-f", "-y", "-o", trace, "-e", "trace=fsync,fdatasync,rename,renameat,renameat2"];
  await promisify(execFile)("strace", [
    ...strace,
    ...[process.execPath, "--import", "tsx", program, `${server.url}/file`, step.directory],
  ]);
  assert.deepEqual(step.files(), { file: "content" });
  const lines = readFileSync(trace, "utf8").split("\n");
  const calls = lines
    .filter((line) => line.includes(step.directory))
    .map((line) => line.replace(/^\d+\s+/, "").replaceAll(step.directory, "DIR"));
  const name = (call: string) => call.match(/^(fsync|fdatasync|rename)/)?.[1];
  assert.deepEqual(calls.filter((call) => !call.startsWith("<")).map(name), ["fdatasync", "rename", "fsync"]);
  assert.match(calls[0]!, /<DIR\/\.file\.[0-9a-f]{8}\.part>/);
  assert.match(calls.find((call) => name(call) === "rename")!, /"DIR\/\.file\.[0-9a-f]{8}\.part".*"DIR\/file"/);
  assert.match(calls.findLast((call) => name(call) === "fsync")!, /<DIR>/);
});
