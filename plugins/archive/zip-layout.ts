// What stands where in a zip: entry after entry, then the directory, then its end. Programs find the directory in
// different ways, and an archive in which every byte has one place only is the same one for all of them.

import type { LocalFileHeader, Entry as ZipEntry, ZipFile } from "yauzl";
import type { ArchiveFile } from "./archive-file.ts";
import { broken, shown } from "./failures.ts";
import { zipFailure } from "./zip-file.ts";
import { anyNameOf, type ZipRecord } from "./zip-record.ts";

/** Behind a file whose size was not known before: signature, checksum and two sizes of up to 8 bytes. */
const maxDescriptorBytes = 24;

const endBytes = 22;
const locatorBytes = 20;
const end64Bytes = 56;
const locatorSignature = 0x07064b50;

/** `entries` by offset; gives where the content of each begins. Throws ARCHIVE_BROKEN. */
export async function checkLayout(file: ArchiveFile, zip: ZipFile, entries: ZipRecord[]): Promise<number[]> {
  const space = new Space();
  const starts: number[] = [];
  for (const entry of entries) {
    const name = shown(anyNameOf(entry));
    space.begins(entry.relativeOffsetOfLocalHeader, name);
    // It looks at offset and size only.
    const local = await zip.readLocalFileHeaderPromise(entry as unknown as ZipEntry).catch((error: unknown) => {
      throw zipFailure(error);
    });
    const difference = differenceBetween(entry, local);
    if (difference !== undefined) throw broken(`its directory and the header of ${name} have another ${difference}`);
    starts.push(local.fileDataStart);
    space.ends(local.fileDataStart + entry.compressedSize, hasDescriptor(entry) ? maxDescriptorBytes : 0);
  }
  await checkEnd(file, zip, entries.length, space);
  return starts;
}

/** The bytes of one thing begin where those of the one before end. */
class Space {
  #end = 0;
  #slack = 0;

  begins(start: number, what: string): void {
    if (start < this.#end) throw broken(`${what} overlaps what stands before it`);
    if (start > this.#end + this.#slack) throw broken(`something that is not in its directory stands before ${what}`);
  }

  ends(end: number, slack = 0): void {
    this.#end = end;
    this.#slack = slack;
  }
}

async function checkEnd(file: ArchiveFile, zip: ZipFile, count: number, space: Space): Promise<void> {
  // With names as bytes the comment is bytes, too.
  const position = file.sizeBytes - endBytes - zip.comment.length;
  const end = await file.read(position, endBytes);
  const small = { count: end.readUInt16LE(10), size: end.readUInt32LE(12), offset: end.readUInt32LE(16) };
  const large = await readLargeEnd(file, position - locatorBytes);
  if (large !== undefined) {
    const differs = (value: number, max: number, value64: number) => value !== max && value !== value64;
    if (
      differs(small.count, 0xffff, large.count) ||
      differs(small.size, 0xffffffff, large.size) ||
      differs(small.offset, 0xffffffff, large.offset)
    )
      throw broken("it says twice where its directory is, and not the same");
  }
  const directory = large ?? small;
  if (directory.count !== count) throw broken("its directory has another number of entries");
  space.begins(directory.offset, "its directory");
  space.ends(directory.offset + directory.size);
  space.begins(large?.position ?? position, "its end");
}

/** The end in 64 bits, which stands before the other one. */
async function readLargeEnd(file: ArchiveFile, locatorPosition: number) {
  if (locatorPosition < 0) return undefined;
  const locator = await file.read(locatorPosition, locatorBytes);
  if (locator.readUInt32LE(0) !== locatorSignature) return undefined;
  const position = Number(locator.readBigUInt64LE(8));
  const end = await file.read(position, end64Bytes);
  // Its own size does not count the first 12 bytes.
  if (end.length < end64Bytes || position + 12 + Number(end.readBigUInt64LE(4)) !== locatorPosition)
    throw broken("something that is not in its directory stands before its end");
  const value = (start: number) => Number(end.readBigUInt64LE(start));
  return { position, count: value(32), size: value(40), offset: value(48) };
}

function differenceBetween(entry: ZipRecord, local: LocalFileHeader): string | undefined {
  if (entry.rawName !== local.fileName.toString("latin1")) return "name";
  if (entry.compressionMethod !== local.compressionMethod) return "compression";
  if (entry.generalPurposeBitFlag !== local.generalPurposeBitFlag) return "set of flags";
  if (hasDescriptor(entry)) return undefined;
  if (entry.crc32 !== local.crc32) return "checksum";
  // All ones: the size stands in a further field, for more than 4 GiB; what is unpacked is counted anyway.
  const differs = (size: number, localSize: number) => localSize !== 0xffffffff && size !== localSize;
  if (differs(entry.uncompressedSize, local.uncompressedSize)) return "size";
  return differs(entry.compressedSize, local.compressedSize) ? "compressed size" : undefined;
}

const hasDescriptor = ({ generalPurposeBitFlag }: ZipRecord) => (generalPurposeBitFlag & 0x8) !== 0;
