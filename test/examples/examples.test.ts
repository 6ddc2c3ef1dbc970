// The plugins of examples/ in a project of somebody outside: sound, typed, tested, true to the contract; and together in
// one host, the package as npm packs it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { areTypesCurrent } from "../../host/scaffold/write-types.ts";
import { startTestHost } from "../../host/testing/index.ts";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { countsOf, Project } from "../scaffold/project.ts";
import { needs } from "../support/parts.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const names = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
let project: Project;

before(() => {
  project = new Project();
  cpSync(examples, join(project.folder, "plugins"), { recursive: true });
});
after(() => project[Symbol.dispose]());

test("there is one of each kind, in both languages, and each is in the list", () => {
  const manifests = names.map((name) => JSON.parse(readFileSync(join(examples, name, "plugin.json"), "utf8")));
  for (const member of ["steps", "triggers", "provides", "requires"])
    assert.ok(
      manifests.some((manifest) => manifest[member] !== undefined),
      member,
    );
  assert.deepEqual(new Set(manifests.map(({ main }) => main)), new Set(["index.ts", "index.js"]));
  const list = readFileSync(join(examples, "README.md"), "utf8");
  for (const name of names) assert.ok(list.includes(`[${name}](${name}/)`), name);
});

test("gantry validate has nothing to say against them, and their types are those of their manifests", async () => {
  project.write("plugins.json", { plugins: names.map((name) => ({ plugin: `./plugins/${name}` })) });
  const { code, stdout } = await project.gantry("validate");
  assert.deepEqual([code, stdout], [0, "all good\n"]);
  for (const name of names) {
    const folder = join(examples, name);
    const manifest = JSON.parse(readFileSync(join(folder, "plugin.json"), "utf8")) as PluginManifest;
    assert.ok(await areTypesCurrent(folder, manifest), name);
  }
});

test("their types are right, strictly", async () => {
  for (const name of ["machine", "line"]) {
    // Those of one language have the same settings, and are checked in one go.
    const include =
      name === "line" ? ["plugins/line"] : names.filter((one) => one !== "line").map((one) => `plugins/${one}`);
    project.write("tsconfig.json", { extends: `./plugins/${name}/tsconfig.json`, include });
    const { code, stdout } = await project.check(".");
    assert.equal(code, 0, stdout);
  }
});

test("their own tests pass", async () => {
  const ended = await project.node("--test", "--test-isolation=none", "plugins/*/test/*.test.{ts,js}");
  const testsIn = (folder: string) =>
    globSync(`${folder}/test/*.test.{ts,js}`, { cwd: examples }).flatMap((file) => [
      ...readFileSync(join(examples, file), "utf8").matchAll(/^test\(/gm),
    ]).length;
  // One talks to a real server, which may not be there.
  const skipped = needs("rclone") === false ? 0 : testsIn("webdav");
  assert.deepEqual(countsOf(ended), { pass: testsIn("*") - skipped, fail: 0 }, ended.stdout);
});

test("a step keeps the contract as gantry plugin test asks", async () => {
  for (const address of ["machine/look", "webdav/put"])
    for (const carrier of [[], ["--in-process"]]) {
      const { code, stdout } = await project.gantry("plugin", "test", `plugins/${address.split("/")[0]}`, ...carrier);
      assert.equal(code, 0, stdout);
      assert.match(stdout, new RegExp(`✓ repeat ${address}`));
    }
});

test("the package has what it needs and no more, and works by its name", async () => {
  const packed = execFileSync("npm", ["pack", join(examples, "line"), "--pack-destination", project.folder, "--json"]);
  const [{ filename, files }] = JSON.parse(packed.toString()) as [{ filename: string; files: { path: string }[] }];
  assert.deepEqual(files.map(({ path }) => path).sort(), [
    "README.md",
    "index.js",
    "package.json",
    "plugin.json",
    "plugin.types.d.ts",
    "triggers/received.js",
  ]);
  const installed = join(project.folder, "node_modules/gantry-line");
  mkdirSync(installed);
  execFileSync("tar", ["-xzf", join(project.folder, filename), "-C", installed, "--strip-components=1"]);
  const order = {
    on: [{ trigger: "line/received", with: { port: 0 } }],
    steps: [{ id: "then", uses: "machine/look" }],
    outputs: "${{ default(steps.then.outputs.load, -1) }}",
  };
  const plugins = [installed, join(project.folder, "plugins/machine")];
  await using host = await startTestHost({ plugins, workflows: { order } });
  const { port } = host.log.find(({ msg }) => msg === "listens") as unknown as { port: number };
  const socket = connect(port, "127.0.0.1", () => socket.write('{"id": 7, "input": {}}\n'));
  const { status, output } = await host.nextRun("order");
  assert.equal(status, "succeeded");
  assert.ok((output as number) >= 0);
  socket.destroy();
});
