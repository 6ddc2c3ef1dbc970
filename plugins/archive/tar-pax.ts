// The extended headers of tar: what they say of the entry that follows.

import { broken, unsupported } from "./failures.ts";
import { decodeName } from "./names.ts";

/** What replaces fields of the header that follows. */
export interface Extended {
  path?: string;
  linkpath?: string;
  size?: number;
  mtime?: number;
}

/**
 * Reads the records `LENGTH KEY=VALUE\n` of a pax header. Lengths count bytes, and values may hold anything, line ends
 * too: nothing here looks for one. Throws ARCHIVE_BROKEN, ARCHIVE_UNSUPPORTED, ARCHIVE_NAME_INVALID.
 */
export function readPax(content: Buffer): Extended {
  const extended: Extended = {};
  for (let start = 0; start < content.length; ) {
    const space = content.indexOf(0x20, start);
    const digits = content.toString("latin1", start, Math.min(space, start + 10));
    const end = start + Number(digits);
    if (space < 0 || !/^[1-9]\d*$/.test(digits) || end > content.length || content[end - 1] !== 0x0a)
      throw broken("a pax header has a wrong length");
    const equals = content.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw broken("a pax header has a record without a value");
    take(extended, content.toString("latin1", space + 1, equals), content.subarray(equals + 1, end - 1));
    start = end;
  }
  return extended;
}

function take(extended: Extended, key: string, value: Buffer): void {
  if (key.startsWith("GNU.sparse.")) throw unsupported("it has a sparse file");
  if (!["path", "linkpath", "size", "mtime"].includes(key)) return;
  // Readers differ in which of the two they believe.
  if (Object.hasOwn(extended, key)) throw broken(`a pax header says twice what the ${key} is`);
  if (key === "path" || key === "linkpath") extended[key] = decodeName(value);
  if (key === "size") extended.size = decimal(value, /^\d+$/);
  if (key === "mtime") extended.mtime = decimal(value, /^-?\d+(\.\d*)?$/);
}

function decimal(value: Buffer, form: RegExp): number {
  const text = value.toString("latin1");
  const number = Number(text);
  if (!form.test(text) || number > Number.MAX_SAFE_INTEGER) throw broken("a pax header has a number that is none");
  return number;
}
