// A file system of its own, in memory, for tests of what goes over its edge. Needs the right to mount.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** For a test's `skip`. */
export const cannotMount = (() => {
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return false;
  } catch {
    return "needs the right to mount";
  }
})();

export function smallDisk(size = "64m") {
  const place = mkdtempSync(join(tmpdir(), "gantry-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", place]);
  return {
    place,
    path: (name: string) => join(place, name),
    [Symbol.dispose]() {
      execFileSync("umount", [place]);
      rmSync(place, { recursive: true });
    },
  };
}
