// Where a file goes: names from the network are base names, folders may be narrowed, and links do not lead around that.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
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

export interface DestinationOptions {
  url: URL;
  directory: string;
  filename: string | undefined;
  allowedDirectories: string[] | undefined;
}

/**
 * Where the file would go; makes nothing. Throws DOWNLOAD_NAME_INVALID, DOWNLOAD_DIRECTORY_NOT_ALLOWED,
 * DOWNLOAD_WRITE_FAILED.
 */
export async function findDestination(options: DestinationOptions): Promise<Destination> {
  const name = options.filename ?? nameOf(options.url);
  if (!isBaseName(name))
    throw new PluginError("DOWNLOAD_NAME_INVALID", `${JSON.stringify(name.slice(0, 300))} is no file name`);
  const directory = await realpathOfExisting(options.directory);
  await checkAllowed(directory, options.allowedDirectories);
  return { directory, path: join(directory, name), partPath: join(directory, partNameOf(name)) };
}

/** The same, and the folder is there. */
export async function makeDestination(options: DestinationOptions): Promise<Destination> {
  const { directory } = await findDestination(options);
  try {
    await makeFolder(directory);
  } catch (error) {
    throw writeFailure(error);
  }
  // Again, as links can be resolved to the end now.
  return findDestination(options);
}

// Not mkdir's own `recursive`: that never ends where the system has no folder to make, as below /proc.
async function makeFolder(path: string): Promise<void> {
  const make = () =>
    mkdir(path, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
    });
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await make();
  }
}

/** Size and digests of the file that is already there, if it is the wanted one. */
export async function alreadyThere(
  path: string,
  sizeBytes: number,
  checksums: Checksums,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; digests: Record<string, string> } | undefined> {
  if (checksums.isEmpty) return undefined;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile() || (sizeBytes > 0 && found.size !== sizeBytes)) return undefined;
  const digester = checksums.digester();
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal }))
      digester.update(chunk as Buffer);
  } catch {
    signal.throwIfAborted();
    // What cannot be read is replaced.
    return undefined;
  }
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

function nameOf(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

// The part's name has room for more than the file's own: a long one is told apart by its digest.
function partNameOf(name: string): string {
  const distinct = Buffer.byteLength(name) <= 200 ? name : createHash("sha256").update(name).digest("hex");
  return `.${distinct}.part`;
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
  const parts = resolve(path).split(sep);
  for (; parts.length > 1; rest.unshift(parts.pop()!)) {
    try {
      return join(await realpath(parts.join(sep) || sep), ...rest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw writeFailure(error);
    }
  }
  return join(sep, ...rest);
}
