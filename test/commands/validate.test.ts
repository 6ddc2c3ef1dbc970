// The command in a process of its own, started as a person starts it.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { execute } from "./gantry.ts";

const bin = fileURLToPath(new URL("../../bin/gantry", import.meta.url));
const broken = fileURLToPath(new URL("../fixtures/broken/", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "gantry-validate-"));
const config = join(root, "plugins.json");

before(() => {
  mkdirSync(join(root, "workflows", "idle"), { recursive: true });
  write("plugins.json", {
    workflows: ["./workflows"],
    plugins: [{ plugin: "mqtt" }, { plugin: "download" }, { plugin: "script" }, { plugin: "verify", enabled: false }],
  });
  write("workflows/good.json", { name: "good", steps: [{ uses: "mqtt/publish", with: { topic: "a", payload: 1 } }] });
});
after(() => rmSync(root, { recursive: true }));

function write(name: string, content: unknown): string {
  const file = join(root, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
  return file;
}

const validate = (...args: string[]) => execute(bin, "validate", "--config", config, ...args);
const linesOf = (stdout: string): Record<string, unknown>[] =>
  stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));

test("without a fault it says so, and the exit code is 0", async () => {
  assert.deepEqual(await validate(), { code: 0, stdout: "all good\n", stderr: "" });
  assert.deepEqual(await validate("--json"), { code: 0, stdout: "", stderr: "" });
});

test("a named workflow is checked against the plugins of the configuration, each fault on a line of its own", async () => {
  const file = join(broken, "workflows/misspelt-input-of-a-step.json");
  const { code, stdout, stderr } = await validate("--json", file);
  assert.deepEqual([code, stderr], [1, ""]);
  const faults = linesOf(stdout);
  const expected = JSON.parse(readFileSync(file.replace(".json", ".expected.json"), "utf8"));
  assert.deepEqual(
    faults.map(({ line, column, code, suggestion }) => ({ line, column, code, suggestion })),
    expected,
  );
  for (const fault of faults) {
    assert.deepEqual(Object.keys(fault), ["file", "line", "column", "pointer", "code", "message", "suggestion"]);
    assert.match(String(fault.file), /misspelt-input-of-a-step\.json$/);
  }
});

test("people see each place, what was meant, and how many there are", async () => {
  const file = join(broken, "workflows/misspelt-input-of-a-step.json");
  const { code, stdout } = await validate(file);
  assert.equal(code, 1);
  assert.match(stdout, /misspelt-input-of-a-step\.json:7:9 error `ulr` is not known here \[KEY_UNKNOWN\]/);
  assert.match(stdout, /7 \| {9}"ulr": .*\n +\| +\^{5}\n {2}did you mean url\?/);
  assert.match(stdout, /\n2 errors; docs\/errors\.md/);
});

test("what a document is shows in its name", async () => {
  const manifest = write("plugin.json", { name: "Lamp", version: "1", host: "^9.0.0", main: "nowhere.ts" });
  mkdirSync(join(root, "other"), { recursive: true });
  const configuration = write("other/plugins.json", { plugins: [{}] });
  const { code, stdout } = await validate("--json", manifest, configuration, join(root, "missing.json"));
  assert.equal(code, 1);
  assert.deepEqual(
    linesOf(stdout).map(({ code, pointer }) => `${code} ${pointer}`),
    [
      "VALUE_WRONG /name",
      "PLUGIN_VERSION_INVALID /version",
      "PLUGIN_HOST_RANGE /host",
      "PLUGIN_MAIN_MISSING /main",
      "KEY_MISSING /plugins/0",
      "FILE_UNREADABLE ",
    ],
  );
});

test("a workflow of a plugin that is not enabled is a note in a folder, and a fault when it is named", async (t) => {
  const verify = { uses: "verify/checksum", with: { path: "/a", checksums: { SHA256: "00" } } };
  const file = write("workflows/idle/idle.json", { name: "idle", steps: [verify] });
  t.after(() => rmSync(file));
  const inFolder = await validate("--json");
  assert.equal(inFolder.code, 0);
  assert.deepEqual(
    linesOf(inFolder.stdout).map(({ code, severity }) => [code, severity]),
    [["PLUGIN_NOT_ENABLED", "note"]],
  );
  assert.match((await validate()).stdout, /idle\.json:5:15 note .*\n[\s\S]*\nall good \(1 note\)\n/);
  const named = await validate("--json", file);
  assert.equal(named.code, 1);
  assert.deepEqual(
    linesOf(named.stdout).map(({ code, severity }) => [code, severity]),
    [["PLUGIN_NOT_ENABLED", undefined]],
  );
});

test("all documents that the configuration leads to are checked at once", async (t) => {
  const one = write("workflows/one.json", '{ "name": "one", }');
  const two = write("workflows/two.json", { name: "two", steps: [{ uses: "script/rum" }] });
  t.after(() => {
    for (const file of [one, two]) rmSync(file);
  });
  const { code, stdout } = await validate("--json");
  assert.equal(code, 1);
  assert.deepEqual(
    linesOf(stdout).map(({ file, code, suggestion }) => [String(file).slice(-8), code, suggestion]),
    [
      ["one.json", "SYNTAX", undefined],
      ["two.json", "STEP_NOT_FOUND", "script/run"],
    ],
  );
});

test("a configuration that cannot be used is the first thing to mend", async () => {
  const unusable = write("unusable.json", '{ "plugins": [');
  const { code, stdout } = await execute(
    bin,
    "validate",
    "--config",
    unusable,
    "--json",
    join(root, "workflows/good.json"),
  );
  assert.equal(code, 1);
  assert.deepEqual(
    linesOf(stdout).map(({ code, line, column }) => [code, line, column]),
    [["SYNTAX", 1, 14]],
  );
});
