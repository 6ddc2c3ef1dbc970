// Bytes of a file -> text, or the one fault that makes it unreadable.

import { isUtf8 } from "node:buffer";

export const maxDocumentBytes = 1 << 20;

export type Decoded =
  | { text: string }
  | { message: string; code: "DOCUMENT_ENCODING" | "DOCUMENT_TOO_LARGE"; line: number; column: number };

export function decode(bytes: Buffer): Decoded {
  if (bytes.length > maxDocumentBytes)
    return {
      code: "DOCUMENT_TOO_LARGE",
      message: `the file has ${bytes.length} bytes; a document has at most ${maxDocumentBytes}`,
      line: 1,
      column: 1,
    };
  const utf16 =
    (bytes[0] === 0xff && bytes[1] === 0xfe) ||
    (bytes[0] === 0xfe && bytes[1] === 0xff) ||
    bytes.subarray(0, 4).includes(0);
  if (utf16 && bytes.length > 1)
    return {
      code: "DOCUMENT_ENCODING",
      message: "the file seems to be UTF-16; documents are UTF-8",
      line: 1,
      column: 1,
    };
  if (!isUtf8(bytes)) return { code: "DOCUMENT_ENCODING", message: "this is not UTF-8", ...firstInvalid(bytes) };
  // TextDecoder drops a byte order mark.
  return { text: new TextDecoder().decode(bytes) };
}

// Lines end the same way in every encoding that is nearly UTF-8, so the first bad line can be looked at alone.
function firstInvalid(bytes: Buffer): { line: number; column: number } {
  for (let line = 1, start = 0; ; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    const part = bytes.subarray(start, end);
    if (!isUtf8(part)) return { line, column: columnOfInvalid(part) };
    start = end + 1;
  }
}

function columnOfInvalid(line: Buffer): number {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(line);
  const mark = text.startsWith("\ufeff") ? 1 : 0;
  let offset = 0;
  for (const [index, character] of [...text].entries()) {
    const length = Buffer.byteLength(character);
    // The decoder puts U+FFFD for what it cannot read; a written one is fine.
    if (character === "\ufffd" && !line.subarray(offset, offset + length).equals(Buffer.from(character)))
      return [...text].slice(0, index).join("").length + 1 - mark;
    offset += length;
  }
  return 1;
}
