// Real pipes and a real full device.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const output = fileURLToPath(new URL("../../host/terminal/output.ts", import.meta.url));

/** Writes far more than a pipe holds, and ends with what `gantry` would end with. */
const program = `import { watchOutput } from ${JSON.stringify(output)};
watchOutput();
for (let line = 0; line < 20_000; line++) process.stdout.write(String(line).padEnd(99) + "\\n");
process.stdout.write("", () => { process.exitCode = 0; console.error("went on"); });`;
const args = ["--input-type=module-typescript", "-e", program];

async function endOf(child: ReturnType<typeof spawn>): Promise<{ code: number | null; stderr: string }> {
  let stderr = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

test("a reader that leaves early does not end the process, and is no failure", async () => {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout!.once("data", () => child.stdout!.destroy());
  assert.deepEqual(await endOf(child), { code: 0, stderr: "went on\n" });
});

test("output that a full disk does not take is said once and gives exit code 1", {
  skip: existsSync("/dev/full") ? false : "needs /dev/full",
}, async () => {
  const child = spawn(process.execPath, args, { stdio: ["ignore", openSync("/dev/full", "w"), "pipe"] });
  const { code, stderr } = await endOf(child);
  const said = stderr
    .split("\n")
    .filter((line) => line.startsWith("gantry: standard output cannot be written: ENOSPC"));
  assert.deepEqual([code, said.length], [1, 1], stderr);
});

test("so it is with the command line", {
  skip: existsSync("/dev/full") ? false : "needs /dev/full",
}, async () => {
  const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "--version"], { stdio: ["ignore", openSync("/dev/full", "w"), "pipe"] });
  const { code, stderr } = await endOf(child);
  assert.equal(code, 1);
  assert.match(stderr, /^gantry: standard output cannot be written: ENOSPC.*\n$/);
});
