// Makes the package that is published: `node scripts/stage.ts [FOLDER]` (default dist/) compiles and bundles the host,
// its threads and children, and each plugin, and puts what is read as it is beside them. `npm pack ./dist` packs it.

import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile, type Plugin } from "esbuild";
import { interfaces, toolkit, writeDeclarations } from "./declarations.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const target = process.argv[2] ?? join(root, "dist");
const plugins = readdirSync(join(root, "plugins")).filter((name) =>
  existsSync(join(root, "plugins", name, "index.ts")),
);

/** Twice as large as all of Gantry; the package lays out generated types itself. */
const withoutPrettier: Plugin = {
  name: "without-prettier",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^prettier$/ }, () => ({ path: "prettier", namespace: "left-out" }));
    onLoad({ filter: /.*/, namespace: "left-out" }, () => ({
      contents: 'exports.format = () => { throw new Error("prettier is not part of the package"); };',
    }));
  },
};

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const inputs = await bundle();
for (const folder of ["host/builtin", ...plugins.map((name) => `plugins/${name}`)]) copyManifest(folder);
for (const name of ["bin", "docs", "schemas", "workflows", "README.md", "CHANGELOG.md", "LICENSE"]) copy(name);
writeTypes();
writeNotices(inputs);
writePackage();

/**
 * Each entry lands where code that asks for its own place (`import.meta.url`) expects its neighbours: everything shared
 * lies in host/chunks, as deep as the folders it comes from.
 */
async function bundle(): Promise<Metafile["inputs"]> {
  const entries = [
    { in: "host/main.ts", out: "host/chunks/main" },
    { in: "host/sdk.ts", out: "host/sdk" },
    { in: "host/testing/index.ts", out: "host/testing/index" },
    { in: "host/testing/host-main.ts", out: "host/testing/host-main" },
    { in: "host/conformance/import-probe.ts", out: "host/conformance/import-probe" },
    ...toolkit.map((name) => ({ in: `host/toolkit/${name}.ts`, out: `host/toolkit/${name}` })),
    { in: "host/builtin/index.ts", out: "host/builtin/index" },
    { in: "host/store/worker.ts", out: "host/chunks/worker" },
    { in: "host/isolation/child.ts", out: "host/chunks/child" },
    ...plugins.map((name) => ({ in: `plugins/${name}/index.ts`, out: `plugins/${name}/index` })),
  ];
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: target,
    chunkNames: "host/chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node26",
    // Plugins meet the host's own interface, never a copy.
    external: ["gantry", "gantry/*"],
    mainFields: ["module", "main"],
    minifyWhitespace: true,
    keepNames: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    plugins: [withoutPrettier],
    // CommonJS packages in the bundle call `require` for Node's own modules.
    banner: {
      js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
    },
  });
  writeFileSync(join(target, "host/main.js"), 'import "./chunks/main.js";\n');
  return metafile.inputs;
}

function copyManifest(folder: string): void {
  const manifest = JSON.parse(readFileSync(join(root, folder, "plugin.json"), "utf8")) as { main: string };
  manifest.main = manifest.main.replace(/\.ts$/, ".js");
  writeFileSync(join(target, folder, "plugin.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  copy(join(folder, "README.md"));
}

function copy(name: string): void {
  if (existsSync(join(root, name)))
    cpSync(join(root, name), join(target, name), { recursive: true, filter: (file) => !/\.ts$/.test(file) });
}

/** The declarations that plugins and their tests are written against, and what those need. */
function writeTypes(): void {
  using all = writeDeclarations();
  const wanted = new Set(interfaces.map((file) => `${file}.d.ts`));
  for (const file of wanted) {
    const text = readFileSync(join(all.folder, file), "utf8");
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, file), text.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
    for (const [, imported] of text.matchAll(/from "(\.[^"]*)\.ts"/g))
      wanted.add(join(dirname(file), `${imported}.d.ts`));
  }
}

/** The licences of everything that was bundled. */
function writeNotices(bundled: Metafile["inputs"]): void {
  const packages = new Set(
    Object.keys(bundled).flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
  );
  const notices = [...packages].sort().map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<
      string,
      string
    >;
    const [file] = globSync("{LICENSE,LICENCE,license,License}*", { cwd: folder });
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  writeFileSync(join(target, "THIRD-PARTY-NOTICES"), notices.join(`\n${"-".repeat(80)}\n\n`));
}

function writePackage(): void {
  const source = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, unknown>;
  const { name, version, description, license, type, bin, engines, optionalDependencies } = source;
  const exports = {
    ".": { types: "./host/sdk.d.ts", default: "./host/sdk.js" },
    "./testing": { types: "./host/testing/index.d.ts", default: "./host/testing/index.js" },
    "./toolkit/*": { types: "./host/toolkit/*.d.ts", default: "./host/toolkit/*.js" },
    "./package.json": "./package.json",
  };
  const content = { name, version, description, license, type, bin, exports, engines, optionalDependencies };
  writeFileSync(join(target, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
  console.log(`${relative(process.cwd(), target) || "."} is ready; pack it with npm pack ${target}`);
}
