// Copies a file, a folder or a link to another file system, and reads the copy back: the original goes afterwards.

import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "gantry";
import { walk } from "./tree.ts";

const readBytes = 256 * 1024;

/** Resolves once the copy is on disk. Throws FILES_KIND_REFUSED, FILES_COPY_DIFFERS and the system's errors. */
export async function copy(from: string, to: string, stats: Stats, signal: AbortSignal): Promise<void> {
  await copyOne(from, to, stats, signal);
  if (!stats.isDirectory()) return;
  const folders = [{ path: to, stats }];
  for await (const found of walk(from, signal)) {
    const path = join(to, found.relative);
    await copyOne(found.path, path, found.stats, signal);
    if (found.stats.isDirectory()) folders.push({ path, stats: found.stats });
  }
  // Last, as what is written into a folder changes its time, and some may not be written into afterwards.
  for (const folder of folders.reverse()) {
    await using file = await open(folder.path, constants.O_RDONLY | constants.O_DIRECTORY);
    await keepAttributes(file, folder.stats);
    await file.sync();
  }
}

async function copyOne(from: string, to: string, stats: Stats, signal: AbortSignal): Promise<void> {
  if (stats.isDirectory()) await mkdir(to, { mode: 0o700 });
  else if (stats.isSymbolicLink()) await symlink(await readlink(from), to);
  else if (stats.isFile()) await copyFile(from, to, stats, signal);
  else throw new PluginError("FILES_KIND_REFUSED", `${from} is a device, a named pipe or a socket`);
}

async function copyFile(from: string, to: string, stats: Stats, signal: AbortSignal): Promise<void> {
  await using source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  await using copied = await open(to, "wx+", 0o600);
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(source, signal)) {
    hash.update(chunk);
    await copied.writeFile(chunk);
  }
  await keepAttributes(copied, stats);
  await copied.sync();
  const again = createHash("sha256");
  for await (const chunk of chunksOf(copied, signal)) again.update(chunk);
  const now = await source.stat();
  if (now.mtimeMs !== stats.mtimeMs || now.size !== stats.size)
    throw new PluginError("FILES_COPY_DIFFERS", `${from} changed while it was copied`);
  if (hash.digest("hex") !== again.digest("hex"))
    throw new PluginError("FILES_COPY_DIFFERS", `${to} does not read back as it was written`);
}

async function* chunksOf(file: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(readBytes), 0, readBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function keepAttributes(file: FileHandle, { uid, gid, mode, atime, mtime }: Stats): Promise<void> {
  let kept = 0o7777;
  const own = await file.stat();
  if (own.uid !== uid || own.gid !== gid) {
    // Only root may give files away; for another owner than before, set-user-id would mean something else.
    await file.chown(uid, gid).catch(() => {
      kept = 0o777;
    });
  }
  await file.chmod(mode & kept);
  await file.utimes(atime, mtime);
}
