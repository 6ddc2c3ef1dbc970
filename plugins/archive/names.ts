// Names from archives: bytes that somebody else has chosen, made into relative paths that lead nowhere else.

import { PluginError } from "gantry";
import type { Entry } from "./entry.ts";
import { shown } from "./failures.ts";

const maxPathBytes = 4096;
const maxNameBytes = 255;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a name. Throws ARCHIVE_NAME_INVALID where it is not UTF-8. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    const lossy = Buffer.from(bytes).toString("utf8");
    throw new PluginError("ARCHIVE_NAME_INVALID", `the name ${shown(lossy)} is not UTF-8`, { cause });
  }
}

/**
 * A relative path with no `.`, no `..` and no empty part; "" is the folder itself, which is nobody else's name. Throws
 * ARCHIVE_NAME_ABSOLUTE, ARCHIVE_NAME_ESCAPES and ARCHIVE_NAME_INVALID.
 */
export function safePath(name: string, kind: Entry["kind"]): string {
  if (name.startsWith("/") || /^[A-Za-z]:[\\/]/.test(name))
    throw new PluginError("ARCHIVE_NAME_ABSOLUTE", `the name ${shown(name)} is an absolute path`);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes(".."))
    throw new PluginError("ARCHIVE_NAME_ESCAPES", `the name ${shown(name)} leads out of the folder`);
  const invalid = (why: string) => new PluginError("ARCHIVE_NAME_INVALID", `the name ${shown(name)} ${why}`);
  if (name === "") throw invalid("is empty");
  if (parts.length === 0 && kind !== "directory") throw invalid("is that of the folder itself");
  if (/\p{Cc}/u.test(name)) throw invalid("has control characters");
  if (!name.isWellFormed()) throw invalid("is no Unicode text");
  const path = parts.join("/");
  if (Buffer.byteLength(path) > maxPathBytes || parts.some((part) => Buffer.byteLength(part) > maxNameBytes))
    throw invalid("is too long");
  return path;
}
