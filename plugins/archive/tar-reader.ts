// Reads tar: v7, POSIX (ustar, pax) and GNU. The package `tar` reads the blocks; the order of things is watched here,
// more strictly than its own parser does, which drops what it does not know, cuts names at NUL, takes line ends in pax
// values for the end of a record, and never looks behind the end. Where readers disagree, an archive is refused: what
// somebody has looked at with another program is what is unpacked here.

import { PluginError } from "gantry";
import type { Budget } from "./budget.ts";
import type { ByteReader } from "./byte-reader.ts";
import { type Entry, noContent } from "./entry.ts";
import { broken, shown, unsupported } from "./failures.ts";
import { decodeName, safePath } from "./names.ts";
import { blockBytes, isZero, readHeader, type TarHeader } from "./tar-header.ts";
import { type Extended, readPax } from "./tar-pax.ts";

/** The largest extended header. */
const maxExtendedBytes = 1 << 20;

const kinds: Record<string, Entry["kind"]> = {
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "5": "directory",
};

/** The entries in order. Throws ARCHIVE_* for whatever is wrong. */
export async function* readTar(bytes: ByteReader, budget: Budget): AsyncGenerator<Entry> {
  const { Header } = await import("tar");
  let extended: Extended | undefined;
  for (;;) {
    const block = await bytes.exactly(blockBytes);
    if (block === undefined) throw broken("its end is missing");
    if (isZero(block)) {
      if (extended !== undefined) throw broken("nothing follows an extended header");
      return await readEnd(bytes);
    }
    const header = readHeader(block, Header);
    if (["x", "L", "K"].includes(header.type)) {
      extended = merge(extended ?? {}, await readExtended(header, bytes));
    } else if (header.type === "g") {
      // Of all entries that follow; what git writes there is a comment.
      if (hasPlace(await readExtended(header, bytes))) throw unsupported("a global header names files");
    } else {
      const entry = entryOf(header, extended ?? {}, bytes);
      extended = undefined;
      budget.entry(entry.sizeBytes, Buffer.byteLength(entry.path) + Buffer.byteLength(entry.target));
      yield entry;
      await skip(bytes, -entry.sizeBytes & (blockBytes - 1));
    }
  }
}

function entryOf(header: TarHeader, extended: Extended, bytes: ByteReader): Entry {
  const { type, mode, modifiedAt } = header;
  const name = extended.path ?? header.name();
  if (["3", "4", "6"].includes(type))
    throw new PluginError("ARCHIVE_DEVICE_REFUSED", `${shown(name)} is a device or a named pipe`);
  let kind = kinds[type];
  if (kind === undefined) throw unsupported(`${shown(name)} is of type ${shown(type)}`);
  // From before there was a type for folders.
  if (kind === "file" && name.endsWith("/")) kind = "directory";
  const path = safePath(name, kind);
  const sizeBytes = extended.size ?? header.sizeBytes;
  if (kind !== "file" && sizeBytes !== 0) throw broken(`${shown(name)} has content, and is no file`);
  return {
    kind,
    path,
    mode,
    sizeBytes,
    modifiedAt: extended.mtime === undefined ? modifiedAt : new Date(extended.mtime * 1000),
    target: extended.linkpath ?? header.linkName(),
    content: sizeBytes === 0 ? noContent() : bytes.take(sizeBytes),
  };
}

async function readExtended(header: TarHeader, bytes: ByteReader): Promise<Extended> {
  const { type, sizeBytes } = header;
  if (sizeBytes > maxExtendedBytes) throw broken("an extended header is too large");
  const content = sizeBytes === 0 ? Buffer.alloc(0) : await bytes.exactly(sizeBytes);
  if (content === undefined) throw broken("it ends too early");
  await skip(bytes, -sizeBytes & (blockBytes - 1));
  if (type === "x" || type === "g") return readPax(content);
  // A name, ended by NUL.
  const end = content.indexOf(0);
  const name = decodeName(end < 0 ? content : content.subarray(0, end));
  return type === "L" ? { path: name } : { linkpath: name };
}

function merge(before: Extended, more: Extended): Extended {
  for (const key of Object.keys(more))
    if (Object.hasOwn(before, key)) throw broken(`two extended headers say what the ${key} is`);
  return { ...before, ...more };
}

const hasPlace = ({ path, linkpath, size }: Extended) =>
  path !== undefined || linkpath !== undefined || size !== undefined;

/** Two blocks of zeros, and nothing but zeros after them. */
async function readEnd(bytes: ByteReader): Promise<void> {
  const second = await bytes.exactly(blockBytes);
  if (second === undefined) throw broken("its end is missing");
  if (!isZero(second)) throw broken("something follows its end");
  for await (const chunk of bytes.rest()) if (!isZero(chunk)) throw broken("something follows its end");
}

async function skip(bytes: ByteReader, length: number): Promise<void> {
  if (length === 0) return;
  for await (const _ of bytes.take(length));
}
