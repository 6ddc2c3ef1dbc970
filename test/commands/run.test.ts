// Runs in the foreground, with the script plugin at work.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { catalogue } from "../../host/errors.ts";
import { type HostFolder, makeHostFolder } from "../support/host-process.ts";
import { gantry } from "./gantry.ts";

const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));
const script = (command: string[], more = {}) => ({
  id: "work",
  uses: "script/run",
  with: { command, directory: "${{ run.directory }}" },
  ...more,
});
const workflows = {
  greet: {
    name: "greet",
    inputs: { type: "object", required: ["who"], properties: { who: { type: "string" } } },
    steps: [script(["echo", "hello", "${{ inputs.who }}"])],
    outputs: { said: "${{ steps.work.outputs.output }}" },
  },
  fail: { name: "fail", steps: [script(["/bin/sh", "-c", "exit 3"])] },
};
const root = mkdtempSync(join(tmpdir(), "gantry-run-"));
let folder: HostFolder;

before(async () => {
  const configuration = { workflows: ["./workflows"], plugins: [{ plugin: "script" }] };
  folder = await makeHostFolder(root, configuration, workflows);
  writeFileSync(join(root, "input.json"), '{ "who": "Ada" }');
});
after(() => rmSync(root, { recursive: true }));

const run = (...args: string[]) => gantry("run", ...args, "--config", folder.config);

test("a run that succeeds prints its output, and gantry show tells of it", async () => {
  const { code, stdout, stderr } = await run("greet", "--input", join(root, "input.json"));
  assert.equal(code, 0, stderr);
  const [, id] = stdout.match(/greet succeeded \(run (\S+)\)/)!;
  assert.match(stdout, /"said": "hello Ada\\?n?"/);
  const shown = await gantry("show", id!, "--config", folder.config);
  assert.match(shown.stdout, /work \(script\/run\) +succeeded +1 /);
});

test("--json gives one object a line, the run last", async () => {
  const { code, stdout } = await run("greet", "--input", join(root, "input.json"), "--json");
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual([code, lines.at(-1).status, lines.at(-1).input], [0, "succeeded", { who: "Ada" }]);
  assert.ok(
    lines.slice(0, -1).some(({ event }) => event === "step"),
    stdout,
  );
});

test("a run that fails gives exit code 1, the step, the code and its remedy", async () => {
  const { code, stdout } = await run("fail");
  assert.equal(code, 1);
  assert.match(stdout, /fail failed \(run \S+\)\n {2}work: .* \(SCRIPT_FAILED\)\n {2}Read its output/);
});

test("a workflow that nobody has is WORKFLOW_UNKNOWN, with the nearest name and a remedy", async () => {
  const { code, stderr } = await run("gret");
  const line = JSON.parse(stderr);
  assert.deepEqual([code, line.code, line.remedy], [1, "WORKFLOW_UNKNOWN", catalogue.WORKFLOW_UNKNOWN.remedy]);
  assert.match(line.msg, /gret; did you mean greet\?/);
});

test("a workflow with faults is WORKFLOW_BROKEN, after each fault with its place", async () => {
  const file = join(root, "broken.json");
  writeFileSync(file, '{\n  "name": "broken",\n  "stesp": []\n}');
  const { code, stderr } = await run(file);
  const lines = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.ok(
    lines.some((line) => line.code === "KEY_UNKNOWN" && line.line === 3 && line.file === file),
    stderr,
  );
  assert.deepEqual(
    [code, lines.at(-1).code, lines.at(-1).remedy],
    [1, "WORKFLOW_BROKEN", catalogue.WORKFLOW_BROKEN.remedy],
  );
});

test("an input that is no JSON, or not what the workflow takes, is INPUT_INVALID", async () => {
  const file = join(root, "bad.json");
  for (const text of ["{ who", '{ "who": 7 }', "{}"]) {
    writeFileSync(file, text);
    const { code, stderr } = await run("greet", "--input", file);
    assert.deepEqual([code, JSON.parse(stderr).code], [1, "INPUT_INVALID"], text);
  }
});

test("what it waits for is said, and what is done because something failed says so", async () => {
  const said = (text: string, more = {}) => script(["echo", text], { id: text, ...more });
  const wait = { duration: "300ms" };
  writeFileSync(
    join(root, "told.json"),
    JSON.stringify({
      name: "told",
      steps: [
        said("made", { undo: { uses: "script/run", with: said("unmade").with } }),
        { id: "pause", uses: "host/wait", with: wait },
        { id: "never", uses: "host/wait", with: { for: "go" }, timeout: "200ms" },
      ],
      onFailure: [said("told")],
      finally: [said("tidied")],
    }),
  );
  const { code, stdout } = await run(join(root, "told.json"));
  assert.equal(code, 1);
  const lines = stdout.split("\n").slice(0, 8);
  assert.deepEqual(
    lines.map((line) => line.replace(/\d+ms/, "N").trim()),
    [
      "✓ made (script/run)",
      "◷ pause (host/wait) waits N",
      "✓ pause (host/wait)",
      "◷ never (host/wait) waits for the signal go, at most N",
      "✗ never (host/wait) the wait was longer than its timeout (STEP_TIMEOUT)",
      "✓ undo of made (script/run)",
      "✓ onFailure: told (script/run)",
      "✓ finally: tidied (script/run)",
    ],
  );
});

test("a run that its time window holds back says for how long", async () => {
  const opening = new Date(Date.now() + 3 * 3_600_000);
  const clock = (time: Date) => time.toTimeString().slice(0, 5);
  const window = { from: clock(opening), to: clock(new Date(opening.getTime() + 3_600_000)) };
  writeFileSync(join(root, "later.json"), JSON.stringify({ name: "later", window, steps: [script(["true"])] }));
  const told = await new Promise<string>((resolve, reject) => {
    const child = spawn(process.execPath, [main, "run", join(root, "later.json"), "--config", folder.config], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.setEncoding("utf8").once("data", (chunk: string) => {
      resolve(chunk);
      child.kill("SIGINT");
    });
    child.once("exit", () => reject(new Error("it ended without a word")));
  });
  assert.match(told, /^ {2}◷ work \(script\/run\) waits (?:3h|2h59m)/);
});
