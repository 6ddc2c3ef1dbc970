// bin/gantry inside a package as npm lays it out, with programs in the place of Node that say how they were called.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/gantry", import.meta.url));
const platform = `node-linux-${process.arch}`;

/** `<folder>/node_modules/gantry` with the link that npm makes for its command. */
function makePackage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "gantry-bin-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const modules = join(folder, "node_modules");
  for (const part of ["gantry/bin", "gantry/host", ".bin"]) mkdirSync(join(modules, part), { recursive: true });
  copyFileSync(bin, join(modules, "gantry/bin/gantry"));
  writeFileSync(join(modules, "gantry/host/main.js"), "");
  symlinkSync("../gantry/bin/gantry", join(modules, ".bin/gantry"));
  const program = (path: string, text: string) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, path), 0o755);
  };
  return {
    folder,
    /** A program that says its name, process and arguments. */
    teller: (path: string) => program(path, `echo "$0" $$ "$NODE_COMPILE_CACHE" "$@"`),
    /** A Node of this version in the PATH, which otherwise does the same. */
    nodeInPath: (major: number) =>
      program("path/node", `[ "$1" = -p ] && { echo ${major}; exit; }; echo "$0" $$ "$NODE_COMPILE_CACHE" "$@"`),
    start: (env: NodeJS.ProcessEnv, ...args: string[]) => {
      const PATH = [join(folder, "path"), "/usr/bin", "/bin"].join(delimiter);
      const started = spawnSync(join(modules, ".bin/gantry"), args, { encoding: "utf8", env: { PATH, ...env } });
      return { ...started, words: started.stdout.trimEnd().split(" ") };
    },
  };
}

for (const [where, path] of [
  ["beside the package", `node_modules/${platform}/bin/node`],
  ["inside of the package", `node_modules/gantry/node_modules/${platform}/bin/node`],
] as const) {
  test(`a Node that was brought along ${where} takes the place of the shell, whatever is in the PATH`, (t) => {
    const made = makePackage(t);
    made.teller(path);
    made.nodeInPath(20);
    const { status, pid, words } = made.start({ HOME: "/home/ada" }, "show", "x");
    const real = join(made.folder, "node_modules/gantry/host/main.js");
    assert.deepEqual(words.slice(1), [
      String(pid),
      "/home/ada/.cache/gantry",
      "--max-semi-space-size=8",
      real,
      "show",
      "x",
    ]);
    assert.ok(words[0]!.endsWith(`${platform}/bin/node`));
    assert.equal(status, 0);
  });
}

test("without one, a Node in the PATH that is new enough is taken", (t) => {
  const made = makePackage(t);
  made.nodeInPath(26);
  const { pid, words } = made.start({ HOME: "/home/ada" }, "runs");
  assert.deepEqual(words.slice(0, 2), [join(made.folder, "path/node"), String(pid)]);
});

test("with nothing but an old Node it says what to do", (t) => {
  const made = makePackage(t);
  made.nodeInPath(20);
  const { status, stdout, stderr } = made.start({ HOME: "/home/ada" }, "runs");
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /needs Node 26 or newer; install it/);
});

test("compiled code is kept only in a folder that is the user's own", (t) => {
  const made = makePackage(t);
  made.teller(`node_modules/${platform}/bin/node`);
  const cacheOf = (env: NodeJS.ProcessEnv) => made.start(env, "runs").words[2];
  assert.equal(cacheOf({ HOME: "/home/ada", XDG_CACHE_HOME: "/var/cache/ada" }), "/var/cache/ada/gantry");
  assert.equal(cacheOf({ HOME: "/home/ada", NODE_COMPILE_CACHE: "/srv/cache" }), "/srv/cache");
  assert.equal(cacheOf({}), "");
});
