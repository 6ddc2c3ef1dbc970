// One header block of tar. The package `tar` knows its fields; here they are held to what has one meaning only.

import type { Header } from "tar";
import { broken } from "./failures.ts";
import { decodeName } from "./names.ts";

export const blockBytes = 512;

export interface TarHeader {
  /** The type flag: "0" file, "5" folder, "x" pax header ... */
  type: string;
  /** As text when asked for: where an extended header has the name, this one may be cut in the middle of a character. */
  name(): string;
  linkName(): string;
  mode: number;
  sizeBytes: number;
  modifiedAt: Date | undefined;
}

/** Throws ARCHIVE_BROKEN; the names throw ARCHIVE_NAME_INVALID. */
export function readHeader(block: Buffer, decode: typeof Header): TarHeader {
  const header = decoded(block, decode);
  const type = block.toString("latin1", 156, 157);
  // Only the POSIX format has a prefix; GNU's keeps other things there.
  const hasPrefix = block.toString("latin1", 257, 263) === "ustar\0" && block[345] !== 0;
  return {
    type: type === "\0" ? "0" : type,
    name: () => (hasPrefix ? `${textOf(block, 345, 155)}/` : "") + textOf(block, 0, 100),
    linkName: () => textOf(block, 157, 100),
    mode: (header.mode ?? 0) & 0o777,
    sizeBytes: sizeOf(block, header),
    modifiedAt: header.mtime,
  };
}

export const isZero = (block: Uint8Array) => block.every((byte) => byte === 0);

/** Whether it looks like the beginning of a tar archive. */
export function isTar(block: Buffer, decode: typeof Header): boolean {
  if (block.length < blockBytes) return false;
  if (isZero(block)) return true;
  try {
    return new decode(block, 0).cksumValid;
  } catch {
    return false;
  }
}

function decoded(block: Buffer, decode: typeof Header): Header {
  let header: Header;
  try {
    header = new decode(block, 0);
  } catch (cause) {
    throw broken("a header has a number that is none", cause);
  }
  if (!header.cksumValid) throw broken("the checksum of a header is wrong");
  return header;
}

// Readers differ in what they make of other characters between the digits, and of a negative size.
function sizeOf(block: Buffer, { size }: Header): number {
  const field = block.toString("latin1", 124, 136);
  if (/^[ \0]*$/.test(field)) return 0;
  const isWhole = block[124] === 0x80 || /^ *[0-7]+[ \0]*$/.test(field);
  // The package takes the size of folders for 0, whatever the header says.
  const bytes = /^ *[0-7]+/.test(field) ? Number.parseInt(field.trim(), 8) : size;
  if (!isWhole || bytes === undefined || !Number.isSafeInteger(bytes)) throw broken("a header has a size that is none");
  return bytes;
}

function textOf(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return decodeName(end < 0 ? field : field.subarray(0, end));
}
