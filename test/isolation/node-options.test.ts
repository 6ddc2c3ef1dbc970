import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { nodeOptions } from "../../host/isolation/node-options.ts";

const plugin = (permissions: object, directory = "/srv/lamp") => ({
  manifest: { permissions },
  builtIn: false,
  directory,
  dataFolder: "/data/plugins/lamp",
});
const optionsOf = (...plugins: ReturnType<typeof plugin>[]) =>
  nodeOptions({ plugins, dataDirectory: "/data", memoryLimitMb: 256 });
const granted = (options: string[], kind: "read" | "write") =>
  options.filter((option) => option.startsWith(`--allow-fs-${kind}=`)).map((option) => option.split("=")[1]!);

test("a plugin without permissions writes only its folder of data and runs' folders, and does nothing else", () => {
  const options = optionsOf(plugin({}));
  assert.deepEqual(granted(options, "write"), ["/data/plugins/lamp/", "/data/runs/0*"]);
  assert.deepEqual(granted(options, "read").slice(1), ["/srv/lamp/", "/data/plugins/lamp/", "/data/runs/0*"]);
  assert.ok(options.includes("--permission"));
  assert.ok(options.includes("--no-experimental-sqlite"));
  assert.deepEqual(
    options.filter((option) => option.startsWith("--allow") && !option.startsWith("--allow-fs")),
    [],
  );
});

test("what the manifest asks for is granted, relative to the plugin's folder, and no patterns", () => {
  const options = optionsOf(
    plugin({ read: ["/etc/lamp", "../shared", "/*"], write: ["/var/lamp/"], network: ["hub"], run: true }),
  );
  assert.deepEqual(granted(options, "read").slice(-2), ["/etc/lamp/", "/srv/shared/"]);
  assert.deepEqual(granted(options, "write").slice(-1), ["/var/lamp/"]);
  for (const option of ["--allow-net", "--allow-child-process"]) assert.ok(options.includes(option));
  assert.ok(!options.includes("--allow-worker") && !options.includes("--allow-addons"));
});

test("who may read everything may read the root folder, too", () => {
  const options = optionsOf(plugin({ read: ["/"] }));
  assert.deepEqual(granted(options, "read"), ["*"]);
  assert.deepEqual(granted(options, "write"), ["/data/plugins/lamp/", "/data/runs/0*"]);
  const looks = ["-e", "console.log(fs.readdirSync('/').includes('etc'))"];
  const { stdout, stderr } = spawnSync(process.execPath, [...options, ...looks], { encoding: "utf8" });
  assert.equal(stdout, "true\n", stderr);
});

test("an empty list of hosts and `run: false` grant nothing", () => {
  const options = optionsOf(plugin({ network: [], run: false }));
  assert.ok(!options.includes("--allow-net") && !options.includes("--allow-child-process"));
});

test("plugins of a group have what each of them may do", () => {
  const options = optionsOf(plugin({ network: ["hub"] }), plugin({ run: true }, "/srv/other"));
  assert.ok(options.includes("--allow-net") && options.includes("--allow-child-process"));
  assert.ok(granted(options, "read").includes("/srv/other/"));
});

test("a package may import the packages that npm has put beside it", () => {
  const options = optionsOf(plugin({}, "/srv/node_modules/@acme/lamp"));
  assert.ok(granted(options, "read").includes("/srv/node_modules/"));
});

test("a plugin whose folder holds the host's data reads all of it but the data", (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-options-")));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, "var/data"), { recursive: true });
  mkdirSync(join(directory, "steps"));
  writeFileSync(join(directory, "index.js"), "");
  writeFileSync(join(directory, "var/other"), "");
  const dataDirectory = join(directory, "var/data");
  const options = nodeOptions({ plugins: [plugin({}, directory)], dataDirectory, memoryLimitMb: 256 });
  const read = granted(options, "read").filter((path) => path.startsWith(directory));
  assert.deepEqual(
    read
      .filter((path) => !path.startsWith(dataDirectory))
      .map((path) => path.slice(directory.length))
      .sort(),
    ["/index.js", "/steps/", "/var/other"],
  );
  assert.deepEqual(
    read.filter((path) => path.startsWith(dataDirectory)),
    [join(dataDirectory, "runs/0*")],
  );
});
