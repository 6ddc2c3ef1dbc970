import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, utimesSync } from "node:fs";
import { test } from "node:test";
import type { JsonObject } from "../../../host/sdk.ts";
import type { SelectOutput } from "../../../plugins/files/plugin.types.ts";
import { planStep } from "../../support/step-context.ts";
import { touching } from "./touching.ts";

const files = { "b.log": "12", "a.log": "1", "sub/c.log": "123", "sub/.d.log": "", "sub/e.txt": "", ".git/config": "" };

function selecting() {
  const here = touching(files);
  const names = async (input: JsonObject) => {
    const output = await here.run<SelectOutput>("select", { directory: here.place, ...input });
    return output.files.map(({ path }) => path.slice(here.place.length + 1));
  };
  return { ...here, names };
}

test("files come by path, with size and time", async () => {
  using here = selecting();
  utimesSync(here.path("a.log"), 0, 1_700_000_000.123);
  const output = await here.run<SelectOutput>("select", { directory: here.place, include: ["*.log"] });
  assert.deepEqual(
    output.files.map(({ path, sizeBytes }) => ({ path, sizeBytes })),
    [
      { path: here.path("a.log"), sizeBytes: 1 },
      { path: here.path("b.log"), sizeBytes: 2 },
    ],
  );
  assert.equal(output.files[0]!.modifiedAt, "2023-11-14T22:13:20.123Z");
  assert.equal(output.fileCount, 2);
  assert.equal(output.sizeBytes, 3);
});

test("globs choose, and names with a dot are names like others", async () => {
  using here = selecting();
  assert.deepEqual(await here.names({}), [".git/config", "a.log", "b.log", "sub/.d.log", "sub/c.log", "sub/e.txt"]);
  assert.deepEqual(await here.names({ include: ["**/*.log"] }), ["a.log", "b.log", "sub/.d.log", "sub/c.log"]);
  assert.deepEqual(await here.names({ include: ["sub/*"], exclude: ["**/.*"] }), ["sub/c.log", "sub/e.txt"]);
  assert.deepEqual(await here.names({ include: ["[ab].log", "*/e.{txt,md}"] }), ["a.log", "b.log", "sub/e.txt"]);
  assert.deepEqual(await here.names({ exclude: ["sub", ".git/**"] }), ["a.log", "b.log"]);
  assert.deepEqual(await here.names({ include: ["**/**/c.log"] }), ["sub/c.log"]);
  assert.deepEqual(await here.names({ include: ["nothing"] }), []);
});

test("a glob that makes other matchers slow does not", async () => {
  using here = touching({ [`${"a/".repeat(60)}b`]: "" });
  const include = [`${"**/a/".repeat(60)}c`];
  assert.equal((await here.run<SelectOutput>("select", { directory: here.place, include })).fileCount, 0);
});

test("folders, links and pipes are no files, and links are not followed", async () => {
  using here = selecting();
  mkdirSync(here.path("z.log"));
  symlinkSync("a.log", here.path("y.log"));
  symlinkSync("..", here.path("sub/up"));
  execFileSync("mkfifo", [here.path("x.log")]);
  assert.deepEqual(await here.names({ include: ["**/*.log"] }), ["a.log", "b.log", "sub/.d.log", "sub/c.log"]);
});

test("more files than allowed are a failure, not a shorter list", async () => {
  using here = selecting();
  const input = { directory: here.place, include: ["*.log"] };
  assert.equal(await here.refused("select", { ...input, maxFiles: 1 }), "FILES_TOO_MANY");
  assert.equal((await here.run<SelectOutput>("select", { ...input, maxFiles: 2 })).fileCount, 2);
});

test("a missing folder, a file in its place, a wrong glob and a forbidden folder have their codes", async () => {
  using here = selecting();
  using elsewhere = selecting();
  assert.equal(await here.refused("select", { directory: here.path("missing") }), "FILES_MISSING");
  assert.equal(await here.refused("select", { directory: here.path("a.log") }), "FILES_MISSING");
  for (const glob of ["/etc/*", "../*", "a/../../b", ".", "{a/b,c}"])
    assert.equal(await here.refused("select", { directory: here.place, include: [glob] }), "FILES_GLOB_INVALID", glob);
  const config = { allowedDirectories: [here.place] };
  symlinkSync(elsewhere.place, here.path("way-out"));
  for (const directory of [elsewhere.place, here.path("way-out"), here.path("..")])
    assert.equal(
      await elsewhere.refused("select", { directory }, { allowedDirectories: [here.place] }),
      "FILES_NOT_ALLOWED",
    );
  await here.run("select", { directory: here.place }, config);
});

test("an abort ends the search with its own reason", async () => {
  using here = selecting();
  const reason = new Error("cancelled");
  here.context.controller.abort(reason);
  await assert.rejects(here.run("select", { directory: here.place }), (error) => error === reason);
});

test("the plan names the globs and the folder", async () => {
  using here = selecting();
  const input = { directory: "/var/log", include: ["*.log", "*.1"] };
  assert.equal(await planStep("files", "select", input, here.context), "looks for *.log, *.1 in /var/log");
});
