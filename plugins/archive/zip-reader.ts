// Reads zip. The package `yauzl` reads the records; zip-layout.ts holds the two places where a zip says what it has, the
// central directory and the header before each file, against each other; zip-content.ts reads what is in the files.

import { PluginError } from "gantry";
import type { ZipFile } from "yauzl";
import type { ArchiveFile } from "./archive-file.ts";
import type { Budget } from "./budget.ts";
import { type Entry, noContent } from "./entry.ts";
import { broken, shown, unsupported } from "./failures.ts";
import { decodeName, safePath } from "./names.ts";
import { contentOf } from "./zip-content.ts";
import { openZip, ZipBytes, zipFailure } from "./zip-file.ts";
import { checkLayout } from "./zip-layout.ts";
import { nameOf, recordOf, type ZipRecord } from "./zip-record.ts";

const maxLinkBytes = 4096;

/** Stored and deflated. */
const compressions = [0, 8];

/** What an entry is, in the upper half of its mode. */
const types = { mask: 0o170000, none: 0, file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

/** The entries in the order of their content. Throws ARCHIVE_* for whatever is wrong. */
export async function* readZip(
  file: ArchiveFile,
  budget: Budget,
  onRead: (bytes: number) => void,
): AsyncGenerator<Entry> {
  const bytes = new ZipBytes(file);
  const zip = await openZip(file, bytes);
  const found = await readDirectory(zip, budget);
  const starts = await checkLayout(file, zip, found);
  for (const [index, entry] of found.entries()) {
    const content = contentOf({ file, bytes, entry, start: starts[index]!, budget });
    yield await entryOf(entry, content);
    onRead(entry.relativeOffsetOfLocalHeader + entry.compressedSize);
  }
}

/** The central directory, by offset. All limits hold before a byte is unpacked. */
async function readDirectory(zip: ZipFile, budget: Budget): Promise<ZipRecord[]> {
  const { getFileNameLowLevel } = (await import("yauzl")).default;
  const found: ZipRecord[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      budget.entry(entry.uncompressedSize, entry.fileNameLength);
      found.push(recordOf(entry, getFileNameLowLevel));
    }
  } catch (error) {
    throw zipFailure(error);
  }
  return found.sort((one, other) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader);
}

async function entryOf(entry: ZipRecord, content: AsyncIterable<Uint8Array>): Promise<Entry> {
  const { unixMode } = entry;
  const name = checkedNameOf(entry);
  if ((entry.generalPurposeBitFlag & 1) !== 0)
    throw new PluginError("ARCHIVE_ENCRYPTED", `${shown(name)} is encrypted`);
  if (!compressions.includes(entry.compressionMethod))
    throw unsupported(`${shown(name)} has compression ${entry.compressionMethod}`);
  const kind = kindOf(name, unixMode);
  const path = safePath(name, kind);
  const sizeBytes = entry.uncompressedSize;
  if (kind === "directory" && sizeBytes !== 0) throw broken(`${shown(name)} has content, and is a folder`);
  if (kind === "symlink" && sizeBytes > maxLinkBytes) throw broken(`the link ${shown(name)} is too long`);
  return {
    kind,
    path,
    mode: unixMode === 0 ? (kind === "directory" ? 0o755 : 0o644) : unixMode & 0o777,
    sizeBytes: kind === "file" ? sizeBytes : 0,
    modifiedAt: new Date(entry.modifiedAt),
    target: kind === "symlink" ? decodeName(await wholeOf(content)) : "",
    content: kind === "file" ? content : noContent(),
  };
}

/** Throws ARCHIVE_DEVICE_REFUSED. */
function kindOf(name: string, unixMode: number): "file" | "directory" | "symlink" {
  const type = unixMode & types.mask;
  if (type === types.symlink) return "symlink";
  if (type === types.directory || name.endsWith("/")) return "directory";
  if (type === types.none || type === types.file) return "file";
  throw new PluginError("ARCHIVE_DEVICE_REFUSED", `${shown(name)} is a device, a named pipe or a socket`);
}

function checkedNameOf(entry: ZipRecord): string {
  const name = nameOf(entry);
  // On Windows it separates folders: what this file is called depends on who reads it.
  if (/\\/.test(name) && !/^[A-Za-z]:\\/.test(name))
    throw new PluginError("ARCHIVE_NAME_INVALID", `the name ${shown(name)} has a backslash`);
  return name;
}

async function wholeOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  // Each holds until the next one is asked for.
  for await (const part of content) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
