// Where a file goes: names from the network are base names, folders may be narrowed, and links do not lead around that.

import { createReadStream } from "node:fs";
import { mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { PluginError } from "gantry";
import type { Checksums } from "./checksums.ts";
import { writeFailure } from "./failures.ts";

export interface Destination {
  /** Absolute, links resolved. */
  directory: string;
  path: string;
  /** Beside it: what has arrived so far. */
  partPath: string;
}

/** Makes the folder if needed. Throws DOWNLOAD_NAME_INVALID, DOWNLOAD_DIRECTORY_NOT_ALLOWED, DOWNLOAD_WRITE_FAILED. */
export async function openDestination(
  { url, directory, filename }: { url: string; directory: string; filename?: string },
  allowedDirectories: string[] | undefined,
): Promise<Destination> {
  const name = filename ?? nameOf(url);
  if (!isBaseName(name))
    throw new PluginError("DOWNLOAD_NAME_INVALID", `${JSON.stringify(name.slice(0, 300))} is no file name`);
  // Before anything is made, as far as the path exists already; and again when links can be resolved.
  await checkAllowed(await realpathOfExisting(directory), allowedDirectories);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw writeFailure(error);
  }
  const resolved = await realpath(directory);
  await checkAllowed(resolved, allowedDirectories);
  return {
    directory: resolved,
    path: join(resolved, name),
    partPath: join(resolved, `.${name.slice(0, 200)}.part`),
  };
}

/** Size and digests of the file that is already there, if it is the wanted one. */
export async function alreadyThere(
  path: string,
  sizeBytes: number,
  checksums: Checksums,
): Promise<{ sizeBytes: number; digests: Record<string, string> } | undefined> {
  if (checksums.isEmpty) return undefined;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile() || (sizeBytes > 0 && found.size !== sizeBytes)) return undefined;
  const digester = checksums.digester();
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) digester.update(chunk as Buffer);
  const digests = digester.digests();
  return checksums.mismatch(digests) === undefined ? { sizeBytes: found.size, digests } : undefined;
}

/** The part becomes the file; resolves once the folder's entry is on disk, too. */
export async function putInPlace({ directory, path, partPath }: Destination): Promise<void> {
  try {
    await rename(partPath, path);
    const folder = await open(directory, "r");
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    throw writeFailure(error);
  }
}

export async function discardPart({ partPath }: Destination): Promise<void> {
  await rm(partPath, { force: true }).catch(() => {});
}

function nameOf(url: string): string {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function isBaseName(name: string): boolean {
  const separatorOrControl = /[/\\\p{Cc}]/u;
  return !["", ".", ".."].includes(name) && !separatorOrControl.test(name) && Buffer.byteLength(name) <= 255;
}

async function checkAllowed(directory: string, allowed: string[] | undefined): Promise<void> {
  if (allowed === undefined) return;
  for (const folder of allowed) {
    const root = await realpathOfExisting(folder);
    if (directory === root || directory.startsWith(root === sep ? sep : root + sep)) return;
  }
  throw new PluginError("DOWNLOAD_DIRECTORY_NOT_ALLOWED", `${directory} is not below an allowed folder`);
}

/** The path with links resolved as far as it exists. */
async function realpathOfExisting(path: string): Promise<string> {
  const rest: string[] = [];
  const parts = join(path).split(sep);
  for (; parts.length > 1; rest.unshift(parts.pop()!)) {
    try {
      return join(await realpath(parts.join(sep) || sep), ...rest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw writeFailure(error);
    }
  }
  return join(sep, ...rest);
}
