// What TypeScript says of the interfaces that others build on: their declarations, without the code behind them.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** The modules of `gantry/toolkit`. */
export const toolkit = readdirSync(join(root, "host/toolkit")).map((file) => file.replace(/\.ts$/, ""));

/** Where the interfaces are: of plugins, of their tests, and what helps both. */
export const interfaces = ["host/sdk", "host/testing/index", ...toolkit.map((name) => `host/toolkit/${name}`)];

/** A folder with a `.d.ts` of these modules and of all that they import; it goes with `using`. */
export function writeDeclarations(): { folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "gantry-types-"));
  const emit = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rootDir", root, "--outDir", folder];
  const options = ["--target", "es2025", "--module", "nodenext", "--types", "node", "--strict", "--skipLibCheck"];
  const flags = ["--allowImportingTsExtensions", "--resolveJsonModule", "--ignoreConfig"];
  const files = interfaces.map((file) => join(root, `${file}.ts`));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...emit, ...options, ...flags, ...files], {
    encoding: "utf8",
    cwd: root,
  });
  if (status !== 0) throw new Error(`the declarations cannot be made:\n${stdout}`);
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
