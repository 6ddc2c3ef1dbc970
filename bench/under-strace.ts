// The same program with the kernel watching: how often it syncs, or what it does when each sync is slow.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Figures } from "./three-steps.ts";

const run = promisify(execFile);
const program = fileURLToPath(new URL("./three-steps.ts", import.meta.url));

/** The figures and the number of synced writes, as the kernel counted them; undefined where strace is not installed. */
export async function countSyncs(open: number): Promise<{ figures: Figures; syncs: number } | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-bench-strace-"));
  const counts = join(folder, "counts");
  try {
    const options = ["-f", "-c", "-e", "trace=fsync,fdatasync", "-o", counts];
    const figures = await underStrace(options, open);
    if (figures === undefined) return undefined;
    // Columns: % time, seconds, usecs/call, calls, (errors,) syscall.
    const lines = readFileSync(counts, "utf8").matchAll(
      /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync$/gm,
    );
    return { figures, syncs: [...lines].reduce((sum, [, calls]) => sum + Number(calls), 0) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The figures on a disk where each sync takes so much longer. */
export async function slowDisk(open: number, syncMs: number): Promise<Figures | undefined> {
  const options = ["-f", "-e", `inject=fsync,fdatasync:delay_exit=${syncMs * 1000}`, "-e", "trace=fsync,fdatasync"];
  return underStrace([...options, "-o", "/dev/null"], open);
}

async function underStrace(options: string[], open: number): Promise<Figures | undefined> {
  try {
    const { stdout } = await run("strace", [...options, process.execPath, program, String(open)]);
    return JSON.parse(stdout) as Figures;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
