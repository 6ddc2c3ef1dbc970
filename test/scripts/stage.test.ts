// The package as a user gets it: staged, packed, unpacked into an empty folder, and used with a plugin from outside.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;
let gantry: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "gantry-package-"));
  const staged = join(folder, "staged");
  execFileSync(process.execPath, [join(root, "scripts/stage.ts"), staged], { stdio: "pipe" });
  execFileSync("npm", ["pack", staged, "--pack-destination", folder], { stdio: "pipe" });
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  const installed = join(folder, "app/node_modules/gantry");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, archive), "-C", installed, "--strip-components=1"]);
  rmSync(staged, { recursive: true });
  gantry = join(installed, "bin/gantry");
  write("plugins.json", {
    workflows: ["./workflows"],
    plugins: [{ plugin: "script" }, { plugin: "files" }, { plugin: "gantry-lamp" }],
  });
  write("workflows/it.json", {
    name: "it",
    steps: [
      { id: "lit", uses: "lamp/light", with: { level: 3 } },
      { uses: "files/select", with: { directory: "${{ run.directory }}", include: ["**/*.log"] } },
      {
        id: "said",
        uses: "script/run",
        with: { command: ["echo", "level ${{ steps.lit.outputs.level }}"], directory: "${{ run.directory }}" },
      },
    ],
    outputs: "${{ steps.said.outputs.output }}",
  });
  write("node_modules/gantry-lamp/package.json", { name: "gantry-lamp", version: "1.0.0", type: "module" });
  write("node_modules/gantry-lamp/plugin.json", {
    name: "lamp",
    version: "1.0.0",
    host: "^1.0.0",
    main: "index.js",
    steps: {
      light: {
        description: "Lights the lamp.",
        input: { type: "object", properties: { level: { type: "integer" } }, additionalProperties: false },
        output: { type: "object", properties: { level: { type: "integer" } } },
      },
    },
  });
  write(
    "node_modules/gantry-lamp/index.js",
    `import { definePlugin } from "gantry";
import { matcher } from "gantry/toolkit/globs";
const more = matcher(["lam?"], Error)("lamp") ? 1 : 0;
export default definePlugin({ setup: () => ({ steps: { light: { run: async ({ level }) => ({ level: level + more }) } } }) });
`,
  );
});
after(() => rmSync(folder, { recursive: true }));

function write(name: string, content: unknown): void {
  const file = join(folder, "app", name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
}

// The Node this runs on is found first, as a user's would be.
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(gantry, args, {
    cwd: join(folder, "app"),
    encoding: "utf8",
    env,
  });
  return { status, stdout, stderr };
}

test("the package needs nothing but itself, and brings its licences along", () => {
  const installed = join(folder, "app/node_modules/gantry");
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Record<string, unknown>;
  assert.equal(manifest.dependencies, undefined);
  assert.equal(manifest.private, undefined);
  const notices = readFileSync(join(installed, "THIRD-PARTY-NOTICES"), "utf8");
  for (const name of ["ajv", "aedes", "mqtt", "pino"]) assert.match(notices, new RegExp(`^${name} \\d`, "m"));
  assert.deepEqual(
    readdirSync(installed, { recursive: true }).filter((name) => /(?<!\.d)\.ts$/.test(String(name))),
    [],
  );
});

test("its commands work, with its own plugins and one from a package of its own", () => {
  const version = run("--version");
  assert.equal(version.status, 0, version.stderr);
  const validated = run("validate");
  assert.equal(validated.status, 0, validated.stdout + validated.stderr);
  const { status, stdout, stderr } = run("run", "it");
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /level 4/);
  const doctor = run("doctor");
  assert.equal(doctor.status, 0, doctor.stdout + doctor.stderr);
});

/** Holds a file of the app against the package's types. */
function check(file: string) {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--ignoreConfig", "--module", "nodenext", "--target", "es2025"];
  const types = [
    "--lib",
    "es2025,esnext.disposable",
    "--types",
    "node",
    "--typeRoots",
    join(root, "node_modules/@types"),
  ];
  return spawnSync(process.execPath, [compiler, ...options, ...types, file], {
    cwd: join(folder, "app"),
    encoding: "utf8",
  });
}

test("a plugin in TypeScript is checked against its types", () => {
  write(
    "typed.ts",
    'import { definePlugin, type StepContext } from "gantry";\nimport { matcher } from "gantry/toolkit/globs";\nmatcher(["*"], (message: string) => new Error(message));\nexport default definePlugin({ setup: ({ log }) => { log.info("x"); return { steps: { a: { run: async (_: object, context: StepContext) => ({ at: context.run.id }) } } }; } });\n',
  );
  write(
    "wrong.ts",
    'import { definePlugin } from "gantry";\nexport default definePlugin({ setup: () => ({ steps: { a: { walk: async () => ({}) } } }) });\n',
  );
  const good = check("typed.ts");
  assert.equal(good.status, 0, good.stdout);
  assert.notEqual(check("wrong.ts").status, 0);
});

test("a plugin in its own folder is tested with gantry/testing, in JavaScript and in TypeScript", () => {
  write("own/package.json", { name: "own", private: true, type: "module" });
  write("own/plugin.json", {
    name: "lamp",
    version: "1.0.0",
    host: "^1.0.0",
    main: "index.ts",
    steps: {
      light: {
        description: "Lights the lamp.",
        input: { type: "object", additionalProperties: false },
        output: { type: "object", properties: { level: { type: "integer" } } },
        examples: [{ description: "as it is", outputs: { level: 3 } }],
      },
    },
  });
  write("own/README.md", "# lamp\n\n## lamp/light\n\n**Repeating it** is safe: it only looks.\n");
  write(
    "own/index.ts",
    `import { definePlugin } from "gantry";
const level: number = 3;
export default definePlugin({ setup: () => ({ steps: { light: { run: async () => ({ level }) } } }) });
`,
  );
  const body = `  await using host = await startTestHost({
    plugins: [new URL("..", import.meta.url)],
    workflows: { it: { steps: [{ id: "lit", uses: "lamp/light" }], outputs: "\${{ steps.lit.outputs.level }}" } },
    broker: "embedded",
    process: true,
  });
  assert.deepEqual((await host.step("lamp/light")).output, { level: 3 });
  await host.dieAt("succeeded");
  const id = await host.start("it");
  await host.gone();
  await host.resume();
  const run = await host.ended(id);
  assert.deepEqual([run.status, run.output, run.steps[0]?.repeated], ["succeeded", 3, true]);
`;
  const head = `import assert from "node:assert/strict";
import { test } from "node:test";
`;
  write(
    "own/test/light.test.js",
    `${head}import { startTestHost } from "gantry/testing";
test("it lights", async () => {
${body}});
`,
  );
  write(
    "own/test/light.test.ts",
    `${head}import { startTestHost, type TestHost } from "gantry/testing";
test("it lights", async () => {
${body}  const told: TestHost["log"] = host.log;
  assert.ok(told.length > 0);
});
`,
  );
  const tested = spawnSync(process.execPath, ["--test"], {
    cwd: join(folder, "app/own"),
    encoding: "utf8",
    env: { ...env, NODE_TEST_CONTEXT: undefined },
  });
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  assert.match(tested.stdout, /pass 2/);
  const typed = check("own/test/light.test.ts");
  assert.equal(typed.status, 0, typed.stdout);
  const tried = run("plugin", "test", "own");
  assert.equal(tried.status, 0, tried.stdout + tried.stderr);
  assert.match(tried.stdout, /^✓ import$/m);
  assert.match(tried.stdout, /^✓ repeat lamp\/light: as it is/m);
});
