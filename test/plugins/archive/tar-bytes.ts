// Tar archives byte by byte, made without the code that reads them: also those that no honest program makes.

export interface TarFields {
  name?: string | Buffer;
  /** "0" file, "1" hard link, "2" symbolic link, "3" and "4" devices, "5" folder, "6" pipe, "x", "g", "L", "K" ... */
  type?: string;
  content?: string | Buffer;
  linkName?: string;
  mode?: number;
  /** The 12 bytes of the size field, instead of the content's. */
  size?: Buffer;
  prefix?: string;
  /** The 8 bytes of magic and version. */
  magic?: string;
  mtime?: number;
  /** Added to the right checksum. */
  checksumError?: number;
}

/** A header, and the content in whole blocks. */
export function tarEntry(fields: TarFields): Buffer {
  const content = Buffer.from(fields.content ?? "");
  return Buffer.concat([tarHeader({ ...fields, content }), content, Buffer.alloc(-content.length & 511)]);
}

export function tarHeader(fields: TarFields): Buffer {
  const {
    name = "file",
    type = "0",
    content = "",
    linkName = "",
    mode = 0o644,
    prefix = "",
    mtime = 1_700_000_000,
  } = fields;
  const block = Buffer.alloc(512);
  Buffer.from(name).copy(block, 0, 0, 100);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  (fields.size ?? Buffer.from(octal(Buffer.byteLength(content), 11))).copy(block, 124, 0, 12);
  block.write(octal(mtime, 11), 136);
  block.write("        ", 148);
  block.write(type, 156, "latin1");
  block.write(linkName, 157, 100);
  block.write(fields.magic ?? "ustar\x0000", 257, "latin1");
  block.write(prefix, 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0) + (fields.checksumError ?? 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

export const endOfTar = Buffer.alloc(1024);

/** A whole archive. */
export const tarOf = (...entries: (TarFields | Buffer)[]): Buffer =>
  Buffer.concat([...entries.map((entry) => (Buffer.isBuffer(entry) ? entry : tarEntry(entry))), endOfTar]);

/** A pax header with these records; what is no text is taken as it is. */
export function pax(records: Record<string, string | Buffer>, type = "x"): Buffer {
  const content = Object.entries(records).map(([key, value]) => paxRecord(key, value));
  return tarEntry({ name: "PaxHeader/file", type, content: Buffer.concat(content) });
}

export function paxRecord(key: string, value: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = body.length + 1;
  while (`${length}`.length + body.length !== length) length++;
  return Buffer.concat([Buffer.from(`${length}`), body]);
}

/** GNU's way of a long name. */
export const gnuName = (name: string, type = "L"): Buffer =>
  tarEntry({ name: "././@LongLink", type, content: `${name}\0`, magic: "ustar  \0" });

/** A size in GNU's binary form. */
export function binarySize(bytes: number[]): Buffer {
  const field = Buffer.alloc(12);
  Buffer.from(bytes).copy(field, 12 - bytes.length);
  field[0]! |= 0x80;
  return field;
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
