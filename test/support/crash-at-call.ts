// A real host that dies at a chosen system call of a step, and the next one, which has to finish the run.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../../host/sdk.ts";
import { openStoreForReading } from "../../host/store/open.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { HostProcess, makeHostFolder } from "./host-process.ts";

const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

/** Those that change files, and `openat`, which makes them; the question mark is for machines that have not all of them. */
const names = [
  ...["openat", "mkdirat", "renameat", "renameat2", "unlinkat", "linkat", "symlinkat", "fchmod", "fchown", "utimensat"],
  ...[
    "open",
    "mkdir",
    "rename",
    "unlink",
    "rmdir",
    "link",
    "symlink",
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
  ],
].map((name) => `?${name}`);

export interface Work {
  plugins: JsonObject[];
  /** The workflow's only one. */
  step: JsonObject;
  /** Calls on these count, and on what is opened by these names. */
  paths: string[];
  /** What is in the host's data folder beforehand, by relative path. */
  data?: Record<string, string>;
}

/** The n-th call of this name in a thread, from 1. */
export interface Call {
  name: string;
  nth: number;
}

/** The calls of an undisturbed run. Needs strace; see `needs("strace")`. */
export async function callsOf(work: Work): Promise<Call[]> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-calls-"));
  try {
    const trace = join(directory, "trace");
    await underStrace(directory, work, ["-o", trace]);
    const counts = new Map<string, number>();
    const calls = new Map<string, Call>();
    for (const [, thread, name] of readFileSync(trace, "utf8").matchAll(/^(\d+) +(\w+)\(/gm)) {
      const nth = (counts.get(`${thread} ${name}`) ?? 0) + 1;
      counts.set(`${thread} ${name}`, nth);
      calls.set(`${name} ${nth}`, { name: name!, nth });
    }
    return [...calls.values()];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The host dies at this call; then another one finishes the run. Resolves with how that has ended. */
export async function crashAt({ name, nth }: Call, work: Work) {
  const directory = mkdtempSync(join(tmpdir(), "gantry-crash-"));
  try {
    const inject = ["-o", "/dev/null", "-e", `inject=${name}:signal=KILL:when=${nth}`];
    const { folder, died } = await underStrace(directory, work, inject);
    if (!died) throw new Error(`the host did not die at call ${nth} of ${name}`);
    const host = new HostProcess(folder);
    try {
      await host.ready();
      return await waitFor("the end of the run", () => endOfRun(folder.data));
    } catch (cause) {
      throw new Error(`died at call ${nth} of ${name}; the next host:\n${host.log}`, { cause });
    } finally {
      await host.stop();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Runs a host until the run has ended or the host has died; afterwards no host of the folder begins another run. */
async function underStrace(directory: string, { plugins, step, paths, data = {} }: Work, options: string[]) {
  const workflow = { name: "work", steps: [step] };
  const configuration = { workflows: ["./workflows"], plugins };
  const trigger = { on: [{ trigger: "host/startup", with: {} }] };
  const folder = await makeHostFolder(directory, configuration, { work: { ...workflow, ...trigger } });
  for (const [name, content] of Object.entries(data)) {
    mkdirSync(join(folder.data, dirname(name)), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder.data, name), content);
  }
  const strace = ["-f", "-qq", "-e", `trace=${names.join(",")}`, ...paths.flatMap((path) => ["-P", path]), ...options];
  const host = [process.execPath, main, "up", "--config", folder.config, "--data", folder.data];
  const child = spawn("strace", [...strace, ...host], {
    stdio: "ignore",
    detached: true,
    // strace counts for each thread: all work on files is done by one.
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
  });
  const ended = once(child, "exit").then(() => "died" as const);
  const end = await Promise.race([ended, waitFor("the end of the run or the host", () => endOfRun(folder.data))]);
  if (end !== "died") {
    process.kill(-child.pid!, "SIGTERM");
    await ended;
  }
  // The run keeps the document that it began with.
  await makeHostFolder(directory, configuration, { work: workflow });
  return { folder, died: end === "died" };
}

/** The only run, once it has ended. */
function endOfRun(data: string) {
  try {
    const store = openStoreForReading(data);
    try {
      const [run, ...more] = store.runs.list({});
      if (more.length > 0) throw new Error("there is more than one run");
      return run?.endedAt == null ? undefined : run;
    } finally {
      store.close();
    }
  } catch (error) {
    // There may be no store yet.
    if (/more than one run/.test((error as Error).message)) throw error;
    return undefined;
  }
}
