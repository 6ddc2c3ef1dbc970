// A disk that is full just when a step makes a certain system call, and has room again afterwards.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../../host/sdk.ts";
import { treeOf } from "./tree-of.ts";

const attempts = fileURLToPath(new URL("./two-attempts.ts", import.meta.url));

/** Those that need room; the question mark is for machines that have not all of them. */
const names = [
  ...[
    "open",
    "openat",
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
  ],
  ...["write", "pwrite64", "writev", "pwritev", "pwritev2", "fsync", "fdatasync", "copy_file_range", "sendfile"],
].map((name) => `?${name}`);

export interface FullDisk {
  plugin: string;
  step: string;
  /** Makes what is there before, in a folder that is watched. */
  prepare(place: string): void;
  input(place: string): JsonObject;
  /** What is there afterwards, as `treeOf` gives it; `*` for any content. */
  want: Record<string, string>;
}

interface Attempt {
  code?: string;
  retryable?: boolean;
  tree: Record<string, string>;
}

/**
 * At each call that needs room the disk is full once: the step has to say so, leave what was there or what is to be, and
 * come to its end when it is tried again. Gives how many calls there were. Needs strace; see `needs("strace")`.
 */
export async function fullEverywhere({ plugin, step, prepare, input, want }: FullDisk): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), "gantry-full-"));
  const place = join(root, "place");
  const trace = join(root, "trace");
  const run = async (...options: string[]): Promise<{ before: Attempt["tree"]; ended: Attempt[] }> => {
    for (const folder of [place, join(root, "host")]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o700 });
    }
    prepare(place);
    const before = treeOf(place);
    const work = JSON.stringify({ plugin, step, input: input(place), root });
    const strace = ["-f", "-qq", "-y", "-o", trace, "-e", `trace=${names.join(",")}`, ...options];
    const child = spawn("strace", [...strace, process.execPath, attempts, work], {
      stdio: ["pipe", "pipe", "inherit"],
      // strace counts for each thread: all work on files is done by one.
      env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
    });
    const exited = once(child, "exit");
    const ended: Attempt[] = [];
    child.stdin.write("\n");
    for await (const line of createInterface(child.stdout)) {
      ended.push({ ...(JSON.parse(line) as Attempt), tree: masked(treeOf(place), want) });
      if (ended.length < 2) child.stdin.write("\n");
    }
    await exited;
    return { before: masked(before, want), ended };
  };
  try {
    await run();
    const paths = pathsBelow(root, readFileSync(trace, "utf8")).flatMap((path) => ["-P", path]);
    const undisturbed = await run(...paths);
    assert.deepEqual(undisturbed.ended, [{ tree: want }, { tree: want }]);
    const calls = callsIn(readFileSync(trace, "utf8"));
    for (const [name, nth] of calls) {
      const { before, ended } = await run(...paths, "-e", `inject=${name}:error=ENOSPC:when=${nth}`);
      const [first, second] = ended as [Attempt, Attempt];
      const where = `full at call ${nth} of ${name}`;
      assert.match(readFileSync(trace, "utf8"), /INJECTED/, where);
      if (first.code !== undefined) {
        assert.match(first.code, /^[A-Z]+_DISK_FULL$/, where);
        assert.equal(first.retryable, true, where);
      }
      const allowed = first.code === undefined ? [want] : [before, want];
      assert.ok(
        allowed.some((tree) => JSON.stringify(tree) === JSON.stringify(first.tree)),
        `${where}: ${JSON.stringify(first.tree)} is left`,
      );
      assert.deepEqual(second, { tree: want }, `${where}, and then no more`);
    }
    return calls.length;
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Whatever a call names or has open below this folder, but for names that are made up anew each time. */
function pathsBelow(root: string, trace: string): string[] {
  const found = trace.matchAll(/[<"]([^<>"]+)[>"]/g);
  const paths = [...found].map(([, path]) => path!).filter((path) => path.startsWith(`${root}/`));
  return [...new Set(paths)].filter((path) => path !== join(root, "trace"));
}

/** The calls that need room: name, and the how many-th in its thread. */
function callsIn(trace: string): [string, number][] {
  const counts = new Map<string, number>();
  const calls = new Map<string, [string, number]>();
  for (const [line, thread, name] of trace.matchAll(/^(\d+) +(\w+)\(.*$/gm)) {
    const nth = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, nth);
    const isReading = name!.startsWith("open") && !line.includes("O_CREAT");
    if (!isReading) calls.set(`${name} ${nth}`, [name!, nth]);
  }
  return [...calls.values()];
}

function masked(tree: Record<string, string>, want: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).map(([name, content]) => [name, want[name] === "*" ? "*" : content]));
}
