// Which files are selected: patterns of the original, globs of one's own, modes, links, and what is no file.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { PluginError } from "../../../host/sdk.ts";
import { compileGoPattern } from "../../../plugins/file-upload/go-pattern.ts";
import { selectFiles, type Wanted } from "../../../plugins/file-upload/selection.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-selection-")));
const outside = realpathSync(mkdtempSync(join(tmpdir(), "gantry-outside-")));
const started = process.cwd();
const files = ["a.txt", "b.txt", ".hidden.txt", "c.log", "sub/d.txt", "sub/deep/e.txt", "sub/deep/f.tmp", "[x].txt"];

before(() => {
  process.chdir(directory);
  for (const name of files) {
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, name);
  }
  mkdirSync("folder.txt");
  writeFileSync(join(outside, "secret.txt"), "secret");
  symlinkSync("a.txt", "link.txt");
  symlinkSync(join(outside, "secret.txt"), "away.txt");
  symlinkSync(outside, "sub/away");
  symlinkSync("nowhere", "broken.txt");
});
after(() => {
  process.chdir(started);
  for (const path of [directory, outside]) rmSync(path, { recursive: true });
});

async function select(wanted: Partial<Wanted>): Promise<{ paths: string[]; lines: LogLine[] }> {
  const lines: LogLine[] = [];
  const usual = {
    requested: "",
    files: "",
    include: [],
    exclude: [],
    mode: "lax" as const,
    maxFiles: 1000,
    distinct: false,
  };
  const found = await selectFiles({ ...usual, ...wanted }, new AbortController().signal, recordingLog(lines));
  return { paths: found.map(({ path }) => path), lines };
}

const pathsOf = async (wanted: Partial<Wanted>) => (await select(wanted)).paths;
const refusal = (wanted: Partial<Wanted>) =>
  select(wanted).then(
    ({ paths }) => paths,
    ({ code, message }: PluginError) => [code, message],
  );

test("a pattern stops at slashes, matches leading dots, and gives paths as it spells them, sorted by bytes", async () => {
  const texts = [".hidden.txt", "[x].txt", "a.txt", "away.txt", "b.txt", "link.txt"];
  assert.deepEqual(await pathsOf({ files: "*.txt" }), texts);
  assert.deepEqual(await pathsOf({ files: "./*.txt" }), texts);
  assert.deepEqual(await pathsOf({ files: `${directory}/?.txt` }), [`${directory}/a.txt`, `${directory}/b.txt`]);
  assert.deepEqual(await pathsOf({ files: "s*/*/*.t*" }), ["sub/away/secret.txt", "sub/deep/e.txt", "sub/deep/f.tmp"]);
  assert.deepEqual(await pathsOf({ files: "[^a-b].*" }), ["c.log"]);
  assert.deepEqual(await pathsOf({ files: "\\[x\\].txt" }), ["[x].txt"]);
  assert.deepEqual(await pathsOf({ files: "**.txt" }), texts, "two stars are no more than one");
  assert.deepEqual(await pathsOf({ files: "a.txt" }), ["a.txt"]);
  assert.deepEqual(await pathsOf({ files: "nothing.*" }), []);
});

test("a pattern that cannot be read is refused in Go's words", () => {
  for (const pattern of ["[", "[a", "a[]", "[-a]", "[a-]", "[^", "a\\", "[\\"])
    assert.throws(() => compileGoPattern(pattern), {
      code: "FILE_UPLOAD_PATTERN_INVALID",
      message: "syntax error in pattern",
    });
});

test("a pattern with very many stars is matched in no time, and one that is too long is refused", async () => {
  assert.equal(compileGoPattern(`${"*a".repeat(50)}b`).test("a".repeat(255)), false);
  assert.equal(compileGoPattern(`${"*a".repeat(50)}*`).test("a".repeat(255)), true);
  assert.equal(compileGoPattern("*/*.*").test(`x/${".".repeat(100_000)}/`), false);
  const dots = `${".".repeat(4000)}/`;
  for (const wanted of [{ files: "*.*" }, { include: ["*.*.*.*.*.*.*.*x"] }])
    assert.equal((await refusal({ ...wanted, mode: "scoped", requested: dots }))[0], "FILE_UPLOAD_NOT_PERMITTED");
  for (const mode of ["lax", "scoped", "strict"] as const)
    assert.deepEqual(await refusal({ files: "*", mode, requested: "*/".repeat(100_000) }), [
      "FILE_UPLOAD_PATTERN_INVALID",
      "a pattern of more than 4096 characters",
    ]);
});

test("more files than may be, or folders on the way to them, are refused", async () => {
  const many = "FILE_UPLOAD_TOO_MANY";
  assert.equal((await refusal({ files: "*.txt", maxFiles: 6 }))[0], many);
  assert.equal((await refusal({ files: "*/nothing", maxFiles: 2 }))[0], many);
  assert.equal((await refusal({ include: ["sub/**"], maxFiles: 2 }))[0], many);
  assert.equal((await refusal({ files: "?.txt", include: ["sub/**/*.txt"], maxFiles: 3 }))[0], many);
  assert.equal((await pathsOf({ files: "?.txt", include: ["sub/**/*.txt"], maxFiles: 4 })).length, 4);
});

test("directories and broken links are left out, with a word in the log", async () => {
  const { lines } = await select({ files: "*.txt" });
  const told = lines.map(({ text, fields }) => [fields.path, text]);
  assert.deepEqual(told.sort(), [
    ["broken.txt", "left out of an upload: a file that cannot be looked at"],
    ["folder.txt", "left out of an upload: a directory"],
  ]);
});

test("strict permits what is configured and nothing else", async () => {
  const strict = { files: "?.txt", mode: "strict" as const };
  assert.deepEqual(await pathsOf(strict), ["a.txt", "b.txt"]);
  assert.deepEqual(await pathsOf({ ...strict, requested: "?.txt" }), ["a.txt", "b.txt"]);
  assert.deepEqual(await refusal({ ...strict, requested: "a.txt" }), [
    "FILE_UPLOAD_NOT_PERMITTED",
    "uploading 'a.txt' with mode 'strict' is not permitted",
  ]);
});

test("scoped permits a text that the configured pattern matches, and no dots in it", async () => {
  const scoped = { files: "*.txt", mode: "scoped" as const };
  assert.deepEqual(await pathsOf({ ...scoped, requested: "a.txt" }), ["a.txt"]);
  assert.deepEqual(await pathsOf({ ...scoped, requested: "[ab].txt" }), ["a.txt", "b.txt"]);
  for (const requested of ["c.log", "sub/d.txt", "**/*.txt"])
    assert.deepEqual((await refusal({ ...scoped, requested }))[0], "FILE_UPLOAD_NOT_PERMITTED", requested);
  const folders = { files: "sub/*/*.txt", mode: "scoped" as const };
  assert.deepEqual(await pathsOf({ ...folders, requested: "sub/deep/*.txt" }), ["sub/deep/e.txt"]);
  assert.deepEqual((await refusal({ ...folders, requested: "sub/../a.txt" }))[0], "FILE_UPLOAD_NOT_PERMITTED");
});

test("links and dots do not lead out of what is permitted; lax permits anything", async () => {
  const { paths, lines } = await select({ files: "*.txt", mode: "strict" });
  assert.ok(!paths.includes("away.txt"));
  assert.ok(paths.includes("link.txt"), "a link to what is permitted is");
  assert.ok(lines.some(({ text, fields }) => fields.path === "away.txt" && /a link leads/.test(text)));
  assert.deepEqual(await pathsOf({ files: "sub/*/*.txt", mode: "strict" }), ["sub/deep/e.txt"]);
  assert.deepEqual(await pathsOf({ requested: "sub/../a.txt" }), ["sub/../a.txt"]);
  assert.deepEqual(await pathsOf({ requested: `${outside}/*` }), [`${outside}/secret.txt`]);
});

test("a file to which several paths lead is taken once where that is asked for", async () => {
  const wanted = { files: "*.txt", include: ["./a.txt"], mode: "strict" as const };
  assert.ok((await pathsOf(wanted)).includes("link.txt"));
  const { paths, lines } = await select({ ...wanted, distinct: true });
  assert.deepEqual(paths, [".hidden.txt", "[x].txt", "a.txt", "b.txt"]);
  assert.ok(lines.some(({ text, fields }) => fields.path === "link.txt" && /another path/.test(text)));
});

test("a base that is itself a link is where the files really are", async () => {
  symlinkSync(join(directory, "sub"), join(outside, "way"));
  assert.deepEqual(await pathsOf({ files: `${outside}/way/*.txt`, mode: "strict" }), [`${outside}/way/d.txt`]);
});

test("without a pattern there is nothing to upload", async () => {
  assert.deepEqual(await refusal({}), ["FILE_UPLOAD_NOTHING_SPECIFIED", "upload files not specified"]);
});

test("further files come by globs with two stars, and exclude leaves out of all", async () => {
  const include = ["sub/**/*.{txt,tmp}"];
  const strict = { include, mode: "strict" as const };
  assert.deepEqual(await pathsOf(strict), ["sub/d.txt", "sub/deep/e.txt", "sub/deep/f.tmp"]);
  assert.deepEqual(await pathsOf({ ...strict, files: "?.txt", exclude: ["**/*.tmp", "b.txt"] }), [
    "a.txt",
    "sub/d.txt",
    "sub/deep/e.txt",
  ]);
  assert.deepEqual(await pathsOf({ files: `${directory}/*.txt`, exclude: ["**/.*", "**/[[]*", "**/*l*"] }), [
    `${directory}/a.txt`,
    `${directory}/away.txt`,
    `${directory}/b.txt`,
  ]);
  const absolute = { include: [`${directory}/sub/**`], exclude: ["sub/**"], mode: "strict" as const };
  assert.equal((await pathsOf(absolute)).length, 3, "a relative glob is not about absolute paths");
  assert.deepEqual(await pathsOf({ ...strict, requested: include[0]!, exclude: ["**"] }), []);
  const refused = await refusal({ include: ["../**"], mode: "strict" });
  assert.equal(refused[0], "FILE_UPLOAD_PATTERN_INVALID");
});
