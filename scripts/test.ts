// npm test, npm run test:slow: all tests, or those of the files named: npm test -- 'test/store/*.test.ts'
// Further options are node's: npm test -- --test-name-pattern=lock

import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUpParts } from "./set-up-parts.ts";

const minuteMs = 60_000;
const root = fileURLToPath(new URL("..", import.meta.url));
const slow = process.argv.includes("--slow");
const given = process.argv.slice(2).filter((argument) => argument !== "--slow");
const options = given.filter((argument) => argument.startsWith("-"));
const patterns = given.filter((argument) => !argument.startsWith("-"));

// Who names a slow file itself means it.
const isWanted = (file: string) => file.endsWith(".slow.test.ts") === slow || patterns.includes(file);
const files = globSync(patterns.length > 0 ? patterns : ["test/**/*.test.ts"], { cwd: root }).filter(isWanted);
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(" ") || "test/**/*.test.ts"}`);
  process.exit(1);
}

setUpParts();
const folder = mkdtempSync(join(tmpdir(), "gantry-test-"));
const countFile = join(folder, "count");
const args = [
  ...["--import", "tsx", "--test", "--test-concurrency=2"],
  `--test-timeout=${slow ? 15 * minuteMs : 2 * minuteMs}`,
  ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
  ...["--test-reporter=./scripts/test-count.ts", `--test-reporter-destination=${countFile}`],
  ...options,
  ...files.sort(),
];
// In a group of its own, so that what the tests have started can be ended together with them.
const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], detached: true });
const endAll = (signal: NodeJS.Signals) => {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // Nothing of it is left.
  }
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    endAll(process.exitCode === undefined ? signal : "SIGKILL");
    process.exitCode = 128 + constants.signals[signal];
  });
// They take some ten minutes; a machine may be much slower at times.
const limitMs = slow ? 90 * minuteMs : 80 * minuteMs;
const limit = setTimeout(() => {
  console.error(`the tests did not end within ${limitMs / minuteMs} minutes and are ended`);
  // Node names what it was at, if it still can.
  endAll("SIGTERM");
  setTimeout(endAll, 10_000, "SIGKILL").unref();
}, limitMs);

child.once("exit", (code) => {
  clearTimeout(limit);
  // What the tests have left behind.
  endAll("SIGKILL");
  process.exitCode ??= code ?? 1;
  if (code === 0 && Number(readFileSync(countFile, "utf8")) === 0) {
    console.error("no test ran");
    process.exitCode = 1;
  }
  rmSync(folder, { recursive: true });
});
