// Folders and files that outlast a power cut.

import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PluginError } from "gantry";
import { syncFolder } from "gantry/toolkit/folders";

/** A file that is there with all of its content, or not at all. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const part = join(dirname(path), `.${basename(path)}.gantry-part`);
  await rm(part, { force: true });
  {
    await using file = await open(part, "wx", mode);
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  }
  await rename(part, path);
  await syncFolder(dirname(path));
}

/** What is in a folder; nothing, where there is none. */
export async function entriesOf(path: string) {
  return readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
}

/** Carries out work on the plugin's folder; what the system refuses is SOFTWARE_UPDATE_STORAGE_FAILED. */
export async function inStorage<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    const { code = "", message } = cause as NodeJS.ErrnoException;
    throw new PluginError("SOFTWARE_UPDATE_STORAGE_FAILED", message, { cause, details: { reason: code } });
  }
}

/** Whether a name from the network is that of a file, and of nothing outside its folder. */
export function isBaseName(name: string): boolean {
  return !["", ".", ".."].includes(name) && !/[/\\\p{Cc}]/u.test(name) && Buffer.byteLength(name) <= 255;
}
