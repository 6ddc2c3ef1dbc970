// Which file of this device an artifact names. What counts is where the file really is, not what its path looks like.

import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { PluginError } from "gantry";
import type { CopyInput } from "./plugin.types.ts";

/** strict: directly in a folder; scoped: anywhere below it; lax: anywhere. */
const allows: Record<CopyInput["mode"], (file: string, folder: string) => boolean> = {
  strict: (file, folder) => dirname(file) === folder,
  scoped: (file, folder) => file.startsWith(folder === sep ? sep : folder + sep),
  lax: () => true,
};

/**
 * The file's path without links: for each folder in order the path itself, then the path below that folder. Throws
 * DOWNLOAD_FOLDERS_REQUIRED, DOWNLOAD_SOURCE_MISSING, DOWNLOAD_SOURCE_NOT_ALLOWED.
 */
export async function findSource({ path, mode, installDirs }: CopyInput): Promise<string> {
  if (mode !== "lax" && installDirs.length === 0)
    throw new PluginError("DOWNLOAD_FOLDERS_REQUIRED", `mode ${mode} needs \`installDirs\``);
  const named = pathOf(path);
  let forbidden: string | undefined;
  for (const folder of installDirs.length === 0 ? [sep] : installDirs)
    for (const candidate of [...(isAbsolute(named) ? [named] : []), join(folder, named)]) {
      const file = await realFile(candidate);
      if (file === undefined) continue;
      if (allows[mode](file, await realpath(folder).catch(() => folder))) return file;
      forbidden = file;
    }
  if (forbidden !== undefined)
    throw new PluginError("DOWNLOAD_SOURCE_NOT_ALLOWED", `${forbidden} is outside what mode ${mode} allows`);
  throw new PluginError("DOWNLOAD_SOURCE_MISSING", `there is no file ${path}`);
}

function pathOf(path: string): string {
  if (!/^file:/i.test(path)) return path;
  try {
    return fileURLToPath(path);
  } catch (cause) {
    throw new PluginError("DOWNLOAD_SOURCE_MISSING", `${path} names no file of this device`, { cause });
  }
}

async function realFile(path: string): Promise<string | undefined> {
  try {
    const file = await realpath(path);
    return (await stat(file)).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}
