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
  write("plugins.json", { workflows: ["./workflows"], plugins: [{ plugin: "script" }, { plugin: "gantry-lamp" }] });
  write("workflows/it.json", {
    name: "it",
    steps: [
      { id: "lit", uses: "lamp/light", with: { level: 3 } },
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
export default definePlugin({ setup: () => ({ steps: { light: { run: async ({ level }) => ({ level: level + 1 }) } } }) });
`,
  );
});
after(() => rmSync(folder, { recursive: true }));

function write(name: string, content: unknown): void {
  const file = join(folder, "app", name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
}

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(gantry, args, {
    cwd: join(folder, "app"),
    encoding: "utf8",
    // The Node this runs on is found first, as a user's would be.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
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

test("a plugin in TypeScript is checked against its types", () => {
  write(
    "typed.ts",
    'import { definePlugin, type StepContext } from "gantry";\nexport default definePlugin({ setup: ({ log }) => { log.info("x"); return { steps: { a: { run: async (_: object, context: StepContext) => ({ at: context.run.id }) } } }; } });\n',
  );
  write(
    "wrong.ts",
    'import { definePlugin } from "gantry";\nexport default definePlugin({ setup: () => ({ steps: { a: { walk: async () => ({}) } } }) });\n',
  );
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const check = (file: string) =>
    spawnSync(
      process.execPath,
      [
        compiler,
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--ignoreConfig",
        "--module",
        "nodenext",
        "--target",
        "es2025",
        "--types",
        "node",
        "--typeRoots",
        join(root, "node_modules/@types"),
        file,
      ],
      { cwd: join(folder, "app"), encoding: "utf8" },
    );
  const good = check("typed.ts");
  assert.equal(good.status, 0, good.stdout);
  assert.notEqual(check("wrong.ts").status, 0);
});
