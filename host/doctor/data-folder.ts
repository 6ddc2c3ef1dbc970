// The data folder: can the host work in it, is what is in it sound, and who has it?

import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { connectControl } from "../control/client.ts";
import { databaseFile } from "../store/data-directory.ts";
import { lockDirectory } from "../store/lock.ts";
import { type Finding, good, missing, warning } from "./finding.ts";

/** The folder itself, or the nearest one above it that exists. */
function existing(folder: string): string {
  let path = resolve(folder);
  while (!existsSync(path)) path = dirname(path);
  return path;
}

export function checkWritable(folder: string): Finding {
  const about = "data folder";
  const path = existing(folder);
  try {
    if (!statSync(path).isDirectory()) throw new Error("it is no folder");
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return good(about, path === resolve(folder) ? path : `${resolve(folder)} will be made`);
  } catch (error) {
    const remedy = `Give it to the user the host runs as (\`chown\`), or name another one with --data.`;
    return missing(about, `${path} cannot be written: ${(error as Error).message}`, remedy);
  }
}

export function checkPrivate(folder: string): Finding {
  const about = "its privacy";
  if (!existsSync(folder)) return good(about, "nothing is there yet");
  const { mode } = statSync(folder);
  if ((mode & 0o077) === 0) return good(about, "only its owner can look into it");
  const others = (mode & 0o777).toString(8);
  return warning(about, `others can look into it (mode ${others})`, `Run \`chmod 700 ${resolve(folder)}\`.`);
}

export function checkSpace(folder: string, neededBytes = 100 * 1024 * 1024): Finding {
  const about = "free space";
  const { bavail, bsize } = statfsSync(existing(folder));
  const free = bavail * bsize;
  const told = `${Math.floor(free / (1024 * 1024))} MiB`;
  if (free >= neededBytes) return good(about, told);
  const remedy = "Free some space, or shorten what is kept of old runs (`retention` in plugins.json).";
  return missing(about, `only ${told} are left where the data folder is`, remedy);
}

export function checkSoundness(folder: string): Finding {
  const about = "database";
  const file = databaseFile(folder);
  if (!existsSync(file)) return good(about, "nothing is there yet");
  const remedy = "Start the host: it sets what is damaged aside, takes the last good copy, and says what was lost.";
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 2000 });
    try {
      const [found] = database.prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[];
      return found?.quick_check === "ok"
        ? good(about, "sound")
        : missing(about, `damaged: ${found?.quick_check}`, remedy);
    } finally {
      database.close();
    }
  } catch (error) {
    return missing(about, `cannot be read: ${(error as Error).message}`, remedy);
  }
}

/** A host that has the folder and answers, or nobody. */
export async function checkHolder(folder: string): Promise<Finding> {
  const about = "host";
  if (!existsSync(folder)) return good(about, "none is running");
  const client = await connectControl(folder).catch(() => undefined);
  if (client !== undefined) {
    using asked = client;
    const { pid } = await asked.call<{ pid: number }>("host.info");
    return good(about, `runs as process ${pid} and answers`);
  }
  try {
    lockDirectory(folder).release();
    return good(about, "none is running");
  } catch (error) {
    const remedy = "Wait a moment if it is just starting; otherwise look at its log, and start it again.";
    return missing(about, `the folder is held, but nobody answers: ${(error as Error).message}`, remedy);
  }
}
