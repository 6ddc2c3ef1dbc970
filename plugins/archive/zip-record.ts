// What is kept of an entry of a zip's directory: one string and some numbers. The package's own entry has buffers and
// lists, some 700 bytes beside its name, and the directory is held as a whole.

import type { Entry as ZipEntry } from "yauzl";
import { decodeName } from "./names.ts";

/** Its names are those of the package. */
export interface ZipRecord {
  /** The bytes of the name, each of them one character. */
  readonly rawName: string;
  /** From old programs, which write names in code page 437, and may add them in UTF-8. */
  readonly oldName: string | undefined;
  readonly generalPurposeBitFlag: number;
  readonly compressionMethod: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly relativeOffsetOfLocalHeader: number;
  /** 0 where it was not made on Unix. */
  readonly unixMode: number;
  /** In milliseconds. */
  readonly modifiedAt: number;
}

const madeOnUnix = 3;

export type GetFileName = typeof import("yauzl").getFileNameLowLevel;

export function recordOf(entry: ZipEntry, getFileName: GetFileName): ZipRecord {
  const { fileNameRaw, generalPurposeBitFlag } = entry;
  const isUtf8 = (generalPurposeBitFlag & 0x800) !== 0;
  const isAscii = fileNameRaw.every((byte) => byte < 0x80);
  return {
    rawName: fileNameRaw.toString("latin1"),
    oldName: isUtf8 || isAscii ? undefined : getFileName(generalPurposeBitFlag, fileNameRaw, entry.extraFields, true),
    generalPurposeBitFlag,
    compressionMethod: entry.compressionMethod,
    crc32: entry.crc32,
    compressedSize: entry.compressedSize,
    uncompressedSize: entry.uncompressedSize,
    relativeOffsetOfLocalHeader: entry.relativeOffsetOfLocalHeader,
    unixMode: entry.versionMadeBy >> 8 === madeOnUnix ? entry.externalFileAttributes >>> 16 : 0,
    modifiedAt: entry.getLastModDate().getTime(),
  };
}

/** Throws ARCHIVE_NAME_INVALID where it is not UTF-8. */
export function nameOf({ rawName, oldName }: ZipRecord): string {
  return oldName ?? decodeName(Buffer.from(rawName, "latin1"));
}

/** For messages, whatever it may be. */
export const anyNameOf = ({ rawName }: ZipRecord): string => Buffer.from(rawName, "latin1").toString("utf8");
