// The host that has the data folder: whether there is one, and whether it answers.

import { existsSync, readFileSync, statSync } from "node:fs";
import packageJson from "../../package.json" with { type: "json" };
import { connectControl } from "../control/client.ts";
import { toFailure } from "../errors.ts";
import type { PluginState } from "../loading/plugin-state.ts";
import { lockFile } from "../store/data-directory.ts";
import { type Finding, good, missing, warning } from "./finding.ts";

export interface RunningHost {
  pid: number;
  version: string;
  plugins: PluginState[];
}

export interface Holder {
  finding: Finding;
  /** The host that answers. */
  host?: RunningHost;
}

export async function checkHolder(folder: string): Promise<Holder> {
  const about = "host";
  if (!existsSync(folder)) return { finding: good(about, "none is running") };
  try {
    const host = await askHost(folder);
    if (host !== undefined) return { finding: findingOf(host), host };
  } catch (error) {
    const { message, remedy = "" } = toFailure(error);
    return { finding: missing(about, message, remedy) };
  }
  const holder = holderOf(lockFile(folder));
  if (holder === undefined) return { finding: good(about, "none is running") };
  const remedy = "Wait a moment if it is just starting or ending; otherwise look at its log, and start it again.";
  return { finding: missing(about, `the folder is held by ${holder}, which does not answer`, remedy) };
}

async function askHost(folder: string): Promise<RunningHost | undefined> {
  using client = await connectControl(folder);
  if (client === undefined) return undefined;
  const { pid, version } = await client.call<{ pid: number; version: string }>("host.info");
  return { pid, version, plugins: await client.call<PluginState[]>("plugins.list") };
}

function findingOf({ pid, version }: RunningHost): Finding {
  if (version === packageJson.version) return good("host", `runs as process ${pid} and answers`);
  const remedy = "Restart the host, so that it is the version that is installed.";
  return warning("host", `process ${pid} is Gantry ${version}, this command is ${packageJson.version}`, remedy);
}

/** Who has locked a file, as the kernel tells; nothing is locked to find out. */
export function holderOf(file: string): string | undefined {
  const { ino } = statSync(file, { throwIfNoEntry: false }) ?? {};
  if (ino === undefined) return undefined;
  // 1: POSIX  ADVISORY  WRITE 4711 fe:01:131145 1073741826 1073742335
  for (const line of readOrNothing("/proc/locks").split("\n")) {
    const [, kind, , access, pid, place = ""] = line.trim().split(/\s+/);
    if (kind !== "POSIX" || access !== "WRITE" || place.split(":")[2] !== String(ino)) continue;
    const name = readOrNothing(`/proc/${pid}/comm`).trim();
    return `process ${pid}${name === "" ? "" : ` (${name})`}`;
  }
  return undefined;
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
