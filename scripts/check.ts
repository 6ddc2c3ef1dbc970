// npm run check: what must hold before a change goes in. Ends at the first part that does not.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const checks: [name: string, file: string, ...args: string[]][] = [
  ["lint", "node_modules/@biomejs/biome/bin/biome", "check", "."],
  ["types", "node_modules/typescript/bin/tsc", "--noEmit", "-p", "."],
  ["generated types", "scripts/generate-types.ts", "--check"],
  ["the editors' schema", "scripts/generate-schema.ts", "--check"],
  ["docs/errors.md", "scripts/generate-errors.ts", "--check"],
  ["docs/plugin-reference.md", "scripts/generate-reference.ts", "--check"],
  ["tests", "scripts/test.ts"],
];

for (const [name, ...args] of checks) {
  console.log(`== ${name}`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status === 0) continue;
  console.error(`== ${name}: failed`);
  process.exit(status ?? 1);
}
