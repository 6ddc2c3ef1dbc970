import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { atEnd, storeFolder } from "./store-folder.ts";

/** A file system of its own with so many MiB, or undefined where this user may not mount. */
export function mountSmallDisk(t: TestContext, mib: number): string | undefined {
  const place = join(storeFolder(t), "disk");
  mkdirSync(place);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", place]).status !== 0) return undefined;
  atEnd(t, () => spawnSync("umount", [place]));
  return place;
}

export function remount(place: string, mode: "ro" | "rw"): void {
  const { status, stderr } = spawnSync("mount", ["-o", `remount,${mode}`, place], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** Takes all that is left of the disk but so many bytes; gives it back when called. */
export function fillUp(disk: string, leaving: number): () => void {
  const ballast = join(disk, "ballast");
  const chunk = Buffer.alloc(4_096);
  try {
    for (;;) writeFileSync(ballast, chunk, { flag: "a" });
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
  const { size } = statSync(ballast);
  writeFileSync(ballast, Buffer.alloc(Math.max(0, size - leaving)));
  return () => writeFileSync(ballast, "");
}
