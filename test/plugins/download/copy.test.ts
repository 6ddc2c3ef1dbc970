// Files of this device as artifacts.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { JsonObject } from "../../../host/sdk.ts";
import type { CopyOutput } from "../../../plugins/download/plugin.types.ts";
import { sha256 } from "../../support/artifact-server.ts";
import { failureOf, planStep, runStep, stepContext } from "../../support/step-context.ts";

const checksums = { SHA256: sha256("content") };

/** `allowed/file`, `allowed/below/deep`, `outside/secret` and links that lead out. */
function copying(config: JsonObject = {}) {
  const context = stepContext();
  const at = (...names: string[]) => join(context.directory, ...names);
  for (const folder of ["allowed/below", "also", "outside"]) mkdirSync(at(folder), { recursive: true });
  writeFileSync(at("allowed/file"), "content");
  writeFileSync(at("allowed/below/deep"), "content");
  writeFileSync(at("also/other"), "content");
  writeFileSync(at("outside/secret"), "content");
  symlinkSync(at("outside/secret"), at("allowed/link"));
  symlinkSync(at("outside"), at("allowed/way-out"));
  const base = { directory: at("copies"), installDirs: [at("allowed"), at("also")], checksums };
  const copy = (path: string, input: JsonObject = {}) =>
    runStep<CopyOutput>("download", "copy", { ...base, path, ...input }, context, config);
  const codeOf = async (path: string, input: JsonObject = {}) => (await failureOf("download", copy(path, input))).code;
  return { context, at, copy, codeOf, [Symbol.dispose]: () => context[Symbol.dispose]() };
}

test("a file is copied with its digests, by its path, below a folder, and as a file: URL", async () => {
  using step = copying();
  const named: [string, string][] = [
    [step.at("allowed/file"), "file"],
    ["file", "file"],
    ["other", "other"],
    [pathToFileURL(step.at("allowed/file")).href, "file"],
  ];
  for (const [path, filename] of named)
    for (const name of [undefined, "renamed"]) {
      const output = await step.copy(path, name === undefined ? {} : { filename: name });
      const copy = step.at("copies", name ?? filename);
      assert.deepEqual(output, { path: copy, directory: step.at("copies"), sizeBytes: 7, digests: checksums });
      assert.equal(readFileSync(copy, "utf8"), "content");
      writeFileSync(copy, "damaged");
    }
  assert.equal(step.context.reports.at(-1)!.percent, 100);
});

test("a copy has the rights that are asked for, and a limit of its own holds", async () => {
  using step = copying();
  const { path } = await step.copy("file", { fileMode: "755", maxSizeBytes: 7 });
  assert.equal(statSync(path).mode & 0o777, 0o755);
  assert.equal(await step.codeOf("file", { filename: "again", maxSizeBytes: 6 }), "DOWNLOAD_TOO_LARGE");
});

test("strict takes what lies in a folder, scoped what lies below, lax anything; links count where they lead", async () => {
  using step = copying();
  const forbidden = "DOWNLOAD_SOURCE_NOT_ALLOWED";
  const cases: [path: string, strict: string | undefined, scoped: string | undefined][] = [
    ["file", undefined, undefined],
    ["below/deep", forbidden, undefined],
    ["../outside/secret", forbidden, forbidden],
    ["link", forbidden, forbidden],
    ["way-out/secret", forbidden, forbidden],
    [step.at("outside/secret"), forbidden, forbidden],
    [step.at("allowed/../outside/secret"), forbidden, forbidden],
  ];
  for (const [path, strict, scoped] of cases) {
    const outcome = (mode: string) =>
      step.copy(path, { mode, filename: "x" }).then(
        () => undefined,
        ({ code }) => code,
      );
    assert.equal(await outcome("strict"), strict, path);
    assert.equal(await outcome("scoped"), scoped, path);
    assert.equal(await outcome("lax"), undefined, path);
  }
  await step.copy(step.at("outside/secret"), { mode: "lax", installDirs: [] });
});

test("without folders only lax takes anything, and what is not there is missing", async () => {
  using step = copying();
  for (const mode of ["strict", "scoped"])
    assert.equal(await step.codeOf("file", { mode, installDirs: [] }), "DOWNLOAD_FOLDERS_REQUIRED");
  for (const path of ["nothing", "/nothing/here", "below", "file://elsewhere/x", "a\0b"])
    for (const mode of ["strict", "lax"])
      assert.equal(await step.codeOf(path, { mode }), "DOWNLOAD_SOURCE_MISSING", path);
});

test("a file that is used in place is verified and not copied", async () => {
  using step = copying();
  const inPlace = { inPlace: true, directory: step.at("copies") };
  const { path, directory } = await step.copy("file", inPlace);
  assert.deepEqual([path, directory], [step.at("allowed/file"), step.at("allowed")]);
  writeFileSync(step.at("allowed/file"), "Content");
  assert.equal(await step.codeOf("file", inPlace), "DOWNLOAD_CHECKSUM_MISMATCH");
  assert.throws(() => readFileSync(step.at("copies")), { code: "ENOENT" });
});

test("size, checksums, limits and target are held to as in a download", async () => {
  using step = copying({ maxSizeBytes: 1_000_000 });
  assert.equal(await step.codeOf("file", { sizeBytes: 8 }), "DOWNLOAD_SIZE_MISMATCH");
  assert.equal(await step.codeOf("file", { checksums: {} }), "DOWNLOAD_CHECKSUM_REQUIRED");
  assert.equal(await step.codeOf("file", { checksums: { SHA256: sha256("x") } }), "DOWNLOAD_CHECKSUM_MISMATCH");
  assert.equal(await step.codeOf("file", { filename: "../x" }), "DOWNLOAD_NAME_INVALID");
  truncateSync(step.at("also/other"), 1_000_001);
  assert.equal(await step.codeOf("other", { checksums: {}, allowWeakChecksums: true }), "DOWNLOAD_TOO_LARGE");
  const installDirs = [step.at("allowed")];
  const without = runStep("download", "copy", { path: "file", installDirs, checksums }, step.context);
  assert.equal((await failureOf("download", without)).code, "DOWNLOAD_DIRECTORY_REQUIRED");
  using narrow = copying({ allowedDirectories: ["/nowhere"] });
  assert.equal(await narrow.codeOf("file"), "DOWNLOAD_DIRECTORY_NOT_ALLOWED");
});

test("a copy that is there and right is not made again", async () => {
  using step = copying();
  await step.copy("file");
  const { mtimeMs } = statSync(step.at("copies/file"));
  await step.copy("file");
  assert.equal(statSync(step.at("copies/file")).mtimeMs, mtimeMs);
});

test("the plan names both files and copies nothing", async () => {
  using step = copying();
  const input = { path: "a", directory: step.at("copies"), mode: "lax" };
  assert.equal(await planStep("download", "copy", input, step.context), `copies a to ${step.at("copies/a")}`);
  assert.equal(await planStep("download", "copy", { ...input, inPlace: true }, step.context), "verifies a where it is");
  assert.throws(() => readFileSync(step.at("copies")), { code: "ENOENT" });
});
