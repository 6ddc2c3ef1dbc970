// Where a file goes: names from the network are base names, folders may be narrowed, and links do not lead around that.

import { createHash } from "node:crypto";
import { open, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PluginError } from "gantry";
import { isWithin, makeFolder, realpathOfExisting } from "gantry/toolkit/folders";
import type { Checksums } from "./checksums.ts";
import { writeFailure } from "./failures.ts";
import { digestFile } from "./file-digests.ts";

export interface Destination {
  /** Absolute, links resolved. */
  directory: string;
  path: string;
}

export interface DestinationOptions {
  directory: string;
  filename: string;
  allowedDirectories: string[] | undefined;
}

/**
 * Where the file would go; makes nothing. Throws DOWNLOAD_NAME_INVALID, DOWNLOAD_DIRECTORY_NOT_ALLOWED,
 * DOWNLOAD_WRITE_FAILED.
 */
export async function findDestination(options: DestinationOptions): Promise<Destination> {
  checkName(options.filename);
  return within(await realpathOf(options.directory), options);
}

/** The same, and the folder is there. */
export async function makeDestination(options: DestinationOptions): Promise<Destination> {
  checkName(options.filename);
  // Of a folder that is there no link is left to resolve; the dot is in none but a folder.
  const directory = await realpath(`${options.directory}/.`).catch(() => undefined);
  if (directory !== undefined) return within(directory, options);
  const destination = await findDestination(options);
  try {
    await makeFolder(destination.directory);
  } catch (error) {
    throw writeFailure(error);
  }
  // Again, as links can be resolved to the end now.
  return findDestination(options);
}

function checkName(filename: string): void {
  if (isBaseName(filename)) return;
  throw new PluginError("DOWNLOAD_NAME_INVALID", `${JSON.stringify(filename.slice(0, 300))} is no file name`);
}

async function within(directory: string, options: DestinationOptions): Promise<Destination> {
  await checkAllowed(directory, options.allowedDirectories);
  return { directory, path: join(directory, options.filename) };
}

/** Size and digests of the file that is already there, if it is the wanted one. */
export async function alreadyThere(
  path: string,
  sizeBytes: number,
  checksums: Checksums,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; digests: Record<string, string> } | undefined> {
  if (checksums.isEmpty) return undefined;
  try {
    const file = await open(path, "r");
    try {
      const found = await file.stat();
      if (!found.isFile() || (sizeBytes > 0 && found.size !== sizeBytes)) return undefined;
      const digester = checksums.digester();
      const size = await digestFile(file, found.size, digester, signal);
      const digests = digester.digests();
      return checksums.mismatch(digests) === undefined ? { sizeBytes: size, digests } : undefined;
    } finally {
      await file.close();
    }
  } catch {
    signal.throwIfAborted();
    // What cannot be read is replaced.
    return undefined;
  }
}

/** The name for a file that is given none: the last part of its address. */
export function nameOf(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Where the file's beginning is while it arrives: beside it, and another one for each host. */
export function partPathOf(path: string, hostId: string): string {
  return join(dirname(path), `.${distinctName(basename(path))}.${hostId}.part`);
}

export const isPartOf = (name: string, hostId: string) => name.startsWith(".") && name.endsWith(`.${hostId}.part`);

// The part's name has room for more than the file's own: a long one is told apart by its digest.
function distinctName(name: string): string {
  return Buffer.byteLength(name) <= 200 ? name : createHash("sha256").update(name).digest("hex");
}

function isBaseName(name: string): boolean {
  const separatorOrControl = /[/\\\p{Cc}]/u;
  return !["", ".", ".."].includes(name) && !separatorOrControl.test(name) && Buffer.byteLength(name) <= 255;
}

async function checkAllowed(directory: string, allowed: string[] | undefined): Promise<void> {
  if (allowed === undefined) return;
  for (const folder of allowed) {
    if (isWithin(directory, await realpathOf(folder))) return;
  }
  throw new PluginError("DOWNLOAD_DIRECTORY_NOT_ALLOWED", `${directory} is not below an allowed folder`);
}

/** The path with links resolved as far as it exists. */
async function realpathOf(path: string): Promise<string> {
  try {
    return await realpathOfExisting(path);
  } catch (error) {
    throw writeFailure(error);
  }
}
