// What `gantry plugin new` makes, of each kind in each language: sound, typed, tested, and true to the contract.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { makePlugin } from "../../host/scaffold/new-plugin.ts";
import { kinds, languages } from "../../host/scaffold/templates/template.ts";
import { areTypesCurrent } from "../../host/scaffold/write-types.ts";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { countsOf, Project } from "./project.ts";

let project: Project;
const made = kinds.flatMap((kind) => languages.map((language) => ({ kind, language, name: `my-${kind}-${language}` })));
const folderOf = (name: string) => `plugins/${name}`;

before(async () => {
  project = new Project();
  for (const one of made) await makePlugin({ ...one, folder: join(project.folder, folderOf(one.name)) });
});
after(() => project[Symbol.dispose]());

test("it asks nothing, and says what it has made and what comes next", async () => {
  const { code, stdout } = await project.gantry("plugin", "new", "asked", "--kind", "trigger");
  assert.equal(code, 0);
  assert.match(stdout, /\{ "plugin": "\.\/plugins\/asked" \}/);
  assert.match(stdout, /npm test --prefix plugins\/asked/);
  const files = [...stdout.matchAll(/^ {2}(\S+)$/gm)].map(([, file]) => file!);
  assert.ok(files.includes("README.md") && files.includes("triggers/arrived.ts"), stdout);
  for (const file of files) assert.ok(existsSync(join(project.folder, "plugins/asked", file)), file);
});

test("without options it is a step in TypeScript; --json gives the facts, --in another place", async () => {
  const { code, stdout } = await project.gantry("plugin", "new", "another", "--json", "--in", "elsewhere/deep");
  assert.equal(code, 0);
  const { kind, language, folder, files } = JSON.parse(stdout) as Record<string, string> & { files: string[] };
  assert.deepEqual([kind, language, folder], ["step", "typescript", join(project.folder, "elsewhere/deep/another")]);
  const entries = readdirSync(folder!, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name).slice(folder!.length + 1));
  assert.deepEqual(files, paths.sort());
});

test("gantry validate has nothing to say against them, and their types are those of their manifests", async () => {
  project.write("plugins.json", { plugins: made.map(({ name }) => ({ plugin: `./${folderOf(name)}` })) });
  const { code, stdout } = await project.gantry("validate");
  assert.deepEqual([code, stdout], [0, "all good\n"]);
  for (const { name } of made) {
    const folder = join(project.folder, folderOf(name));
    const manifest = JSON.parse(readFileSync(join(folder, "plugin.json"), "utf8")) as PluginManifest;
    assert.ok(await areTypesCurrent(folder, manifest), name);
  }
});

/** `greeting` of the configuration is a text. */
const wrong = {
  typescript: `import type { StepContext } from "gantry";
import { greet } from "./steps/greet.ts";
export const wrong = (context: StepContext) => greet({ greeting: 3 }).run({ who: "Ada", times: 1 }, context);
`,
  javascript: `// @ts-check
import { greet } from "./steps/greet.js";
export const wrong = () => greet(3);
`,
};

for (const language of languages)
  test(`their types are right, strictly, and find what the manifest does not allow: ${language}`, async () => {
    const of = made.filter((plugin) => plugin.language === language).map(({ name }) => folderOf(name));
    const text = readFileSync(join(project.folder, of[0]!, "tsconfig.json"), "utf8");
    assert.equal((JSON.parse(text) as { compilerOptions: { strict: boolean } }).compilerOptions.strict, true);
    // All of them have the same settings, and are checked in one go, with the one that is wrong among them.
    project.write("tsconfig.json", { extends: `./${of[0]}/tsconfig.json`, include: of });
    project.write(`${of[0]}/wrong.${language === "typescript" ? "ts" : "js"}`, wrong[language]);
    const { stdout } = await project.check(".");
    const errors = stdout.split("\n").filter((line) => / error TS/.test(line));
    assert.equal(errors.length, 1, stdout);
    assert.match(errors[0]!, /wrong\.(?:ts|js)\(3,\d+\): error TS\d+: .*number/);
  });

test("their own tests pass", async () => {
  const ended = await project.node("--test", "--test-isolation=none", "plugins/my-*/test/*.test.{ts,js}");
  assert.deepEqual(countsOf(ended), { pass: 8, fail: 0 }, ended.stdout);
});

test("a step keeps the contract as gantry plugin test asks", async () => {
  const { code, stdout } = await project.gantry("plugin", "test", folderOf("my-step-javascript"));
  assert.equal(code, 0, stdout);
  assert.match(stdout, /✓ repeat/);
});

const refused: [what: string, code: string, name: string, place?: string][] = [
  ["a name with capitals", "PLUGIN_NAME_INVALID", "Lamp"],
  ["a name that leads elsewhere", "PLUGIN_NAME_INVALID", "../lamp"],
  ["a name of 61 letters", "PLUGIN_NAME_INVALID", "l".repeat(61)],
  ["the name of one of Gantry's own", "PLUGIN_NAME_TAKEN", "mqtt"],
  ["the name of the host's own", "PLUGIN_NAME_TAKEN", "host"],
  ["a folder that is there", "FOLDER_TAKEN", "my-step-typescript"],
  ["a file where its folder would be", "FOLDER_TAKEN", "package", "taken"],
  ["a file above it", "FOLDER_UNWRITABLE", "lamp", "package.json"],
  ["a file system that takes no files", "FOLDER_UNWRITABLE", "lamp", "/proc"],
];
for (const [what, code, name, place = "plugins"] of refused)
  test(`${what} is refused, and nothing is left`, async () => {
    project.write("taken/package", "");
    const places = [".", "plugins", "taken"].map((one) => join(project.folder, one));
    const before = places.map((one) => readdirSync(one));
    const folder = resolve(project.folder, place, name);
    await assert.rejects(makePlugin({ name, kind: "step", language: "typescript", folder }), { code });
    const after = places.map((one) => readdirSync(one));
    assert.deepEqual(after, before);
  });

test("who is refused hears the code and what to do; an unknown kind is wrong usage", async () => {
  const { code, stderr } = await project.gantry("plugin", "new", "Lamp");
  assert.equal(code, 1);
  assert.match(stderr, /"Lamp" .*\(PLUGIN_NAME_INVALID\)\nChoose one of lower-case letters/);
  assert.equal((await project.gantry("plugin", "new", "lamp", "--kind", "lamp")).code, 2);
});
