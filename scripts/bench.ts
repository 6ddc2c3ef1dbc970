// npm run bench: all measurements of docs/performance.md, one after the other; `npm run bench -- upload host` only those.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const all = [
  ...["durable-runs", "slow-disk", "long-loop", "retention", "host", "isolation", "validate"],
  ...["download", "small-files", "archives", "upload", "software-update"],
];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : all;

for (const name of wanted) {
  const file = fileURLToPath(new URL(`../bench/${name}.ts`, import.meta.url));
  if (!existsSync(file)) {
    console.error(`no measurement ${name}; there are ${all.join(", ")}`);
    process.exit(2);
  }
  console.log(`== ${name}`);
  const { status } = spawnSync(process.execPath, [file], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
