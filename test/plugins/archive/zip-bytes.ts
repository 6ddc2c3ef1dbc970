// Zip archives byte by byte, made without the code that reads them: also those that no honest program makes.

import { crc32, deflateRawSync } from "node:zlib";

export interface ZipFields {
  name?: string | Buffer;
  content?: string | Buffer;
  /** 0 stored, 8 deflated; others are stored and called so. */
  method?: number;
  flags?: number;
  /** The whole Unix mode, with the kind of file. */
  mode?: number;
  /** Without a Unix mode: made on an old system. */
  isFromDos?: boolean;
  extra?: Buffer;
  /** Sizes and checksum stand behind the content, and zeros before it. */
  descriptor?: boolean;
  /** What the header before the content says otherwise. */
  local?: Partial<Facts> & { name?: string };
  /** What the central directory says otherwise. */
  central?: Partial<Facts> & { offset?: number; extra?: Buffer };
  /** Bytes that stand before the entry. */
  before?: Buffer;
  /** Bytes that count as packed content, and stand behind its end. */
  behind?: Buffer;
}

interface Facts {
  crc: number;
  packedSize: number;
  size: number;
  method: number;
  flags: number;
}

interface End {
  count?: number;
  comment?: string;
  disk?: number;
  /** The last record in 64 bits, which says of itself where the directory is; `offset` is added to the truth. */
  large?: { offset?: number; gap?: Buffer };
}

/** A whole archive; `end` changes the last record. */
export function zipOf(entries: ZipFields[], end: End = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { before = Buffer.alloc(0) } = entry;
    const { local, packed, central } = partsOf(entry, offset + before.length);
    parts.push(before, local, packed);
    directory.push(central);
    offset += before.length + local.length + packed.length;
  }
  const size = directory.reduce((total, { length }) => total + length, 0);
  const count = end.count ?? entries.length;
  const large = end.large === undefined ? Buffer.alloc(0) : largeEnd(count, size, offset, end.large);
  return Buffer.concat([...parts, ...directory, large, endRecord(count, size, offset, end)]);
}

export function largeEnd(count: number, size: number, offset: number, more: NonNullable<End["large"]>): Buffer {
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(offset + (more.offset ?? 0)), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, more.gap ?? Buffer.alloc(0), locator]);
}

export function endRecord(count: number, size: number, offset: number, { comment = "", disk = 0 } = {}): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(disk, 4);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(offset, 16);
  record.writeUInt16LE(comment.length, 20);
  return Buffer.concat([record, Buffer.from(comment)]);
}

function partsOf(entry: ZipFields, offset: number) {
  const { method = 8, flags = 0, extra = Buffer.alloc(0), descriptor = false } = entry;
  const name = Buffer.from(entry.name ?? "file");
  const content = Buffer.from(entry.content ?? "");
  const behind = entry.behind ?? Buffer.alloc(0);
  const data = Buffer.concat([method === 8 ? deflateRawSync(content) : content, behind]);
  const allFlags = flags | (descriptor ? 8 : 0);
  const facts: Facts = { crc: crc32(content), packedSize: data.length, size: content.length, method, flags: allFlags };
  const zeros = descriptor ? { crc: 0, packedSize: 0, size: 0 } : {};
  const localName = Buffer.from(entry.local?.name ?? name);
  const local = Buffer.concat([
    localHeader({ ...facts, ...zeros, ...entry.local }, localName, extra),
    localName,
    extra,
  ]);
  const packed = descriptor ? Buffer.concat([data, descriptorOf(facts)]) : data;
  const central = centralHeader({ ...facts, ...entry.central }, name, entry, entry.central?.offset ?? offset);
  return { local, packed, central };
}

function localHeader(facts: Facts, name: Buffer, extra: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  writeFacts(header, 6, facts);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return header;
}

function centralHeader(facts: Facts, name: Buffer, entry: ZipFields, offset: number): Buffer {
  const header = Buffer.alloc(46);
  const { mode = 0o100644, extra = Buffer.alloc(0), isFromDos = false } = entry;
  const more = entry.central?.extra ?? extra;
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(isFromDos ? 20 : (3 << 8) | 20, 4);
  header.writeUInt16LE(20, 6);
  writeFacts(header, 8, facts);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(more.length, 30);
  header.writeUInt32LE(isFromDos ? 0 : mode * 0x10000, 38);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, name, more]);
}

function writeFacts(header: Buffer, start: number, { flags, method, crc, packedSize, size }: Facts): void {
  header.writeUInt16LE(flags, start);
  header.writeUInt16LE(method, start + 2);
  // Noon of 1 June 2024.
  header.writeUInt16LE(12 << 11, start + 4);
  header.writeUInt16LE(((2024 - 1980) << 9) | (6 << 5) | 1, start + 6);
  header.writeUInt32LE(crc, start + 8);
  header.writeUInt32LE(packedSize, start + 12);
  header.writeUInt32LE(size, start + 16);
}

function descriptorOf({ crc, packedSize, size }: Facts): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt32LE(0x08074b50, 0);
  record.writeUInt32LE(crc, 4);
  record.writeUInt32LE(packedSize, 8);
  record.writeUInt32LE(size, 12);
  return record;
}

/** The further field for sizes that do not fit into 32 bits. */
export function zip64Extra(...values: number[]): Buffer {
  const field = Buffer.alloc(4 + values.length * 8);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + index * 8);
  return field;
}
