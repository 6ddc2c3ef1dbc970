// The folder of an example: as the manifest describes it before, and what is there afterwards.

import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** When all of it was changed last, so that what is made of it is the same each time. */
const changedAt = new Date("2026-01-01T00:00:00Z");

/** Makes the folder anew, with these text files. */
export function layOut(folder: string, files: Readonly<Record<string, string>>): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  for (const path of [...readdirSync(folder, { recursive: true, encoding: "utf8" }), "."])
    utimesSync(join(folder, path), changedAt, changedAt);
}

/** Everything below a folder: relative path to a word for what is there; times do not count. */
export function inventory(root: string, folder = ""): Record<string, string> {
  let names: string[];
  try {
    names = readdirSync(join(root, folder)).sort();
  } catch {
    return {};
  }
  const found = names.flatMap((name) => {
    const path = join(folder, name);
    const stats = lstatSync(join(root, path));
    if (stats.isDirectory()) return [[path, "a folder"], ...Object.entries(inventory(root, path))];
    if (stats.isSymbolicLink()) return [[path, `a link to ${readlinkSync(join(root, path))}`]];
    if (!stats.isFile()) return [[path, "neither file nor folder"]];
    const content = createHash("sha256")
      .update(readFileSync(join(root, path)))
      .digest("hex");
    return [[path, `a file of ${stats.size} bytes (${content.slice(0, 12)})`]];
  });
  return Object.fromEntries(found);
}

/** In words, how two inventories differ; empty where they do not. */
export function differences(before: Record<string, string>, after: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => before[path] !== after[path])
    .map((path) => `${path} is ${after[path] ?? "not there"} instead of ${before[path] ?? "not there"}`);
}
