// Asks the device to reboot: through the kernel's files, as the Eclipse Kanto update manager does, or by a program.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { PluginError, type StepContext } from "../sdk.ts";
import type { Config } from "./plugin.types.ts";

const run = promisify(execFile);

export type RebootWay = { command: [string, ...string[]] } | { sysrqFile: string; triggerFile: string };

/** The environment counts before the configuration. */
export function rebootWay(config: Config, { FILE_SYS_RQ, FILE_SYS_RQ_TRIGGER }: NodeJS.ProcessEnv): RebootWay {
  if (config.rebootCommand !== undefined) return { command: config.rebootCommand };
  const sysrqFile = FILE_SYS_RQ ?? config.sysrqFile;
  const triggerFile = FILE_SYS_RQ_TRIGGER ?? config.sysrqTriggerFile;
  return sysrqFile === "" || triggerFile === "" ? { command: ["reboot", "-f"] } : { sysrqFile, triggerFile };
}

/** Resolves when the device has been asked; rejects with HOST_REBOOT_FAILED. */
export async function askForReboot(
  way: RebootWay,
  { log, signal }: Pick<StepContext, "log" | "signal">,
): Promise<void> {
  // The kernel's way leaves no time to write anything more to disk.
  await run("sync", { signal }).catch((error: unknown) => log.warn("the disks could not be synced", { err: error }));
  signal.throwIfAborted();
  try {
    if ("command" in way) {
      const [program, ...args] = way.command;
      await run(program, args, { signal });
    } else {
      await writeFile(way.sysrqFile, "1");
      await writeFile(way.triggerFile, "b");
    }
  } catch (cause) {
    const message = `the device cannot be told to reboot: ${(cause as Error).message}`;
    throw new PluginError("HOST_REBOOT_FAILED", message, { cause });
  }
}
